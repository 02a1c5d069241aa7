;; binarytrees_gc.wat - binarytrees.c with structs of the garbage collector in place of malloc and free: same sizes, same sum, printed the same way.
(module
  (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (rec (type $node (struct (field $left (ref null $node)) (field $right (ref null $node)))))

  (func $make (param $depth i32) (result (ref $node))
    (if (result (ref $node)) (local.get $depth)
      (then
        (struct.new $node
          (call $make (i32.sub (local.get $depth) (i32.const 1)))
          (call $make (i32.sub (local.get $depth) (i32.const 1)))))
      (else (struct.new_default $node))))

  (func $count (param $n (ref null $node)) (result i32)
    (if (result i32) (ref.is_null (struct.get $node $left (local.get $n)))
      (then (i32.const 1))
      (else
        (i32.add (i32.const 1)
          (i32.add
            (call $count (struct.get $node $left (local.get $n)))
            (call $count (struct.get $node $right (local.get $n))))))))

  (func $kernel (param $depth_max i32) (result i64)
    (local $sum i64) (local $kept (ref null $node)) (local $depth i32) (local $times i32)
    (local.set $sum (i64.extend_i32_u (call $count (call $make (i32.add (local.get $depth_max) (i32.const 1))))))
    (local.set $kept (call $make (local.get $depth_max)))
    (local.set $depth (i32.const 4))
    (block $done
      (loop $depths
        (br_if $done (i32.gt_u (local.get $depth) (local.get $depth_max)))
        (local.set $times (i32.shl (i32.const 1) (i32.add (i32.sub (local.get $depth_max) (local.get $depth)) (i32.const 4))))
        (loop $again
          (local.set $sum (i64.add (local.get $sum) (i64.extend_i32_u (call $count (call $make (local.get $depth))))))
          (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))
        (local.set $depth (i32.add (local.get $depth) (i32.const 4)))
        (br $depths)))
    (i64.add (local.get $sum) (i64.extend_i32_u (call $count (local.get $kept)))))

  ;; The number in the first argument, 17 without one. Memory: 0 count, 4 size, 1024 pointers, 4096 text.
  (func $argument (result i32)
    (local $at i32) (local $value i32)
    (drop (call $args_sizes_get (i32.const 0) (i32.const 4)))
    (if (i32.lt_u (i32.load (i32.const 0)) (i32.const 2)) (then (return (i32.const 17))))
    (drop (call $args_get (i32.const 1024) (i32.const 4096)))
    (local.set $at (i32.load (i32.const 1028)))
    (block $end
      (loop $digits
        (br_if $end (i32.gt_u (i32.sub (i32.load8_u (local.get $at)) (i32.const 48)) (i32.const 9)))
        (local.set $value
          (i32.add (i32.mul (local.get $value) (i32.const 10)) (i32.sub (i32.load8_u (local.get $at)) (i32.const 48))))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $digits)))
    (local.get $value))

  ;; Sixteen hexadecimal digits and a line end.
  (func $print (param $value i64)
    (local $at i32)
    (local.set $at (i32.const 16))
    (loop $digits
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 offset=64 (local.get $at)
        (i32.load8_u offset=128 (i32.wrap_i64 (i64.and (local.get $value) (i64.const 15)))))
      (local.set $value (i64.shr_u (local.get $value) (i64.const 4)))
      (br_if $digits (local.get $at)))
    (i32.store8 (i32.const 80) (i32.const 10))
    (i32.store (i32.const 32) (i32.const 64))
    (i32.store (i32.const 36) (i32.const 17))
    (drop (call $fd_write (i32.const 1) (i32.const 32) (i32.const 1) (i32.const 40))))

  (data (i32.const 128) "0123456789abcdef")
  (func (export "_start") (call $print (call $kernel (call $argument)))))

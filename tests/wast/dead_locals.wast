;; Locals without a default that are set in code that runs and read in code that cannot be reached: both are the same code to what translates them.
(module
  (func (export "f") (param i32) (result i32) (local $r (ref i31)) (local $s (ref i31)) (local $c i32)
    (local.set $c (i32.add (i32.mul (local.get 0) (i32.const 2)) (i32.add (local.get 0) (i32.add (i32.const 1) (i32.add (i32.const 1) (i32.const 1))))))
    (local.set $r (ref.i31 (local.get 0)))
    (local.set $s (local.get $r))
    (block $b
      (br_if $b (local.get $c))
      (return (i31.get_s (local.get $s))))
    (local.set $s (local.tee $r (ref.i31 (local.get $c))))
    (return (i31.get_s (local.get $s)))
    (drop (local.get $r))
    (if (local.get 0) (then (local.set $s (local.get $r)) (drop (local.get $s))))
    (loop (drop (local.tee $r (local.get $s))))
    (i31.get_s (local.get $s))))
(assert_return (invoke "f" (i32.const -1)) (i32.const -1))
(assert_return (invoke "f" (i32.const 5)) (i32.const 18))
;; set in one arm alone, or behind a label: still unset
(assert_invalid
  (module (func (param i32) (local $r (ref i31))
    (if (local.get 0) (then (local.set $r (ref.i31 (local.get 0)))))
    (drop (local.get $r))))
  "uninitialized local")
(assert_invalid
  (module (func (param i32) (local $r (ref i31))
    (block (local.set $r (ref.i31 (local.get 0))) (br 0))
    (unreachable) (drop (local.get $r))))
  "uninitialized local")

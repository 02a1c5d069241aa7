;; Linking of every kind: what is shared is shared, sizes are today's, types are equal across modules by their structure, and a failure leaves what
;; had been done.

(module $e
  (rec (type $s (sub (struct (field i32)))) (type $s2 (sub $s (struct (field i32) (field (ref null $s))))))
  (type $f (sub (func (param (ref null $s)) (result i32))))
  (func (export "f") (type $f) (struct.get $s 0 (local.get 0)))
  (func (export "make") (result (ref $s2)) (struct.new $s2 (i32.const 4) (struct.new $s (i32.const 5))))
  (global (export "i") i32 (i32.const 11))
  (global $m (export "m") (mut i64) (i64.const 12))
  (global (export "v") v128 (v128.const i64x2 1 2))
  (global (export "r") (ref $s) (struct.new $s (i32.const 6)))
  (table $t (export "t") 2 6 funcref)
  (table (export "t64") i64 2 6 funcref)
  (memory $mem (export "mem") 1 4)
  (memory (export "mem64") i64 1 4)
  (memory (export "shared") 1 4 shared)
  (tag (export "tag") (param i32))
  (func (export "get-m") (result i64) (global.get $m))
  (func (export "grow") (result i32) (i32.add (i32.mul (i32.const 10) (table.grow $t (ref.null func) (i32.const 1))) (memory.grow $mem (i32.const 1))))
  (func (export "peek") (param i32) (result i32) (i32.load8_u $mem (local.get 0)))
)
(register "e" $e)

;; Everything at once.
(module $i
  (rec (type $s (sub (struct (field i32)))) (type $s2 (sub $s (struct (field i32) (field (ref null $s))))))
  (type $f (sub (func (param (ref null $s)) (result i32))))
  (import "e" "f" (func $f (type $f)))
  (import "e" "make" (func $make (result (ref $s2))))
  (import "e" "make" (func $make-super (result (ref $s2))))
  (import "e" "i" (global $i i32))
  (import "e" "m" (global $m (mut i64)))
  (import "e" "v" (global $v v128))
  (import "e" "r" (global $r (ref null $s)))
  (import "e" "t" (table 1 10 funcref))
  (import "e" "mem" (memory 0 4))
  (import "e" "tag" (tag (param i32)))
  (global $next i32 (i32.add (global.get $i) (i32.const 1)))
  (global $copy (ref null $s) (global.get $r))
  (func (export "call") (result i32) (call $f (call $make)))
  (func (export "inner") (result i32) (call $f (struct.get $s2 1 (call $make-super))))
  (func (export "set") (global.set $m (i64.add (global.get $m) (i64.const 1))))
  (func (export "globals") (result i32 v128 i32) (global.get $next) (global.get $v) (call $f (global.get $copy)))
)
(assert_return (invoke "call") (i32.const 4))
(assert_return (invoke "inner") (i32.const 5))
(assert_return (invoke "set"))
(assert_return (invoke $e "get-m") (i64.const 13))
(assert_return (get $e "m") (i64.const 13))
(assert_return (invoke "globals") (i32.const 12) (v128.const i64x2 1 2) (i32.const 6))

;; Sizes as they are now, not as they were declared.
(assert_unlinkable (module (import "e" "t" (table 3 funcref))) "incompatible import type")
(assert_unlinkable (module (import "e" "mem" (memory 2))) "incompatible import type")
(assert_return (invoke $e "grow") (i32.const 21))
(module (import "e" "t" (table 3 funcref)) (import "e" "mem" (memory 2)))
(assert_unlinkable (module (import "e" "t" (table 4 funcref))) "incompatible import type")
(assert_unlinkable (module (import "e" "mem" (memory 1 3))) "incompatible import type")

;; What does not fit, by kind.
(assert_unlinkable (module (import "e" "t" (table 1 funcref)) (import "e" "nothing" (func))) "unknown import")
(assert_unlinkable (module (import "nobody" "f" (func))) "unknown import")
(assert_unlinkable (module (import "e" "f" (func))) "incompatible import type")
(assert_unlinkable (module (import "e" "f" (global i32))) "incompatible import type")
(assert_unlinkable (module (import "e" "i" (global (mut i32)))) "incompatible import type")
(assert_unlinkable (module (import "e" "m" (global i64))) "incompatible import type")
(assert_unlinkable (module (import "e" "i" (global i64))) "incompatible import type")
(assert_unlinkable (module (import "e" "t" (table i64 1 funcref))) "incompatible import type")
(assert_unlinkable (module (import "e" "t64" (table 1 funcref))) "incompatible import type")
(assert_unlinkable (module (import "e" "t" (table 1 externref))) "incompatible import type")
(assert_unlinkable (module (import "e" "mem" (memory i64 1))) "incompatible import type")
(assert_unlinkable (module (import "e" "mem64" (memory 1))) "incompatible import type")
(assert_unlinkable (module (import "e" "mem" (memory 1 4 shared))) "incompatible import type")
(assert_unlinkable (module (import "e" "shared" (memory 1 4))) "incompatible import type")
(assert_unlinkable (module (import "e" "tag" (tag (param i64)))) "incompatible import type")
(assert_unlinkable (module (import "e" "tag" (tag))) "incompatible import type")
(assert_unlinkable (module (import "e" "mem" (table 1 funcref))) "incompatible import type")
;; A type of the same structure in another group is another type.
(assert_unlinkable
  (module (type $s (sub (struct (field i32)))) (type $f (sub (func (param (ref null $s)) (result i32)))) (import "e" "f" (func (type $f))))
  "incompatible import type")
;; Final, and so not what was exported.
(assert_unlinkable
  (module
    (rec (type $s (sub (struct (field i32)))) (type (sub $s (struct (field i32) (field (ref null $s))))))
    (import "e" "f" (func (param (ref null $s)) (result i32))))
  "incompatible import type")
(assert_unlinkable (module (import "e" "r" (global (ref null i31)))) "incompatible import type")
(module (import "e" "r" (global anyref)))

;; Failing halfway: data that was written stays, what came later did not happen.
(assert_trap
  (module
    (import "e" "mem" (memory 1))
    (data (i32.const 100) "\61") (data (i32.const 0x7fffffff) "\62") (data (i32.const 101) "\63"))
  "out of bounds memory access")
(assert_return (invoke $e "peek" (i32.const 100)) (i32.const 0x61))
(assert_return (invoke $e "peek" (i32.const 101)) (i32.const 0))
(assert_trap
  (module
    (import "e" "mem" (memory 1))
    (data (i32.const 102) "\64") (func $start (i32.store8 (i32.const 103) (i32.const 0x65)) (unreachable)) (start $start))
  "unreachable")
(assert_return (invoke $e "peek" (i32.const 102)) (i32.const 0x64))
(assert_return (invoke $e "peek" (i32.const 103)) (i32.const 0x65))

;; An instance's export that is an import goes on to a third.
(module $through
  (import "e" "m" (global $m (mut i64))) (import "e" "get-m" (func $f (result i64)))
  (export "m2" (global $m)) (export "f2" (func $f)))
(register "through" $through)
(module
  (import "through" "m2" (global $m (mut i64))) (import "through" "f2" (func $f (result i64)))
  (func (export "both") (result i64) (global.set $m (i64.const 40)) (i64.add (call $f) (global.get $m))))
(assert_return (invoke "both") (i64.const 80))

;; One definition, many instances: nothing of their own is shared.
(module definition $counter
  (global $n (mut i32) (i32.const 0)) (memory 1) (table 1 funcref)
  (func (export "up") (result i32)
    (i32.store (i32.const 0) (i32.add (i32.load (i32.const 0)) (i32.const 100)))
    (global.set $n (i32.add (global.get $n) (i32.const 1))) (i32.add (global.get $n) (i32.load (i32.const 0)))))
(module instance $one $counter)
(module instance $two $counter)
(assert_return (invoke $one "up") (i32.const 101))
(assert_return (invoke $one "up") (i32.const 202))
(assert_return (invoke $two "up") (i32.const 101))

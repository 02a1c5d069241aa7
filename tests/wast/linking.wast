;; linking.wast - what instances share and what a failure leaves behind, where the suite's own linking.wast does not look: several instances of one
;; module, tags, tables that hold functions of a failed instance, lazily made functions seen from two instances, sizes at the time of linking.

(module definition $counter
  (global $n (export "n") (mut i32) (i32.const 0))
  (memory (export "mem") 1 3)
  (table (export "t") 2 8 funcref)
  (elem (i32.const 0) $inc $get)
  (tag $e (export "e") (param i32))
  (func $inc (export "inc") (result i32) (global.set $n (i32.add (global.get $n) (i32.const 1))) (global.get $n))
  (func $get (export "get") (result i32) (global.get $n))
  (func (export "throw") (throw $e (global.get $n))))
(module instance $a $counter)
(module instance $b $counter)

;; two instances share nothing
(assert_return (invoke $a "inc") (i32.const 1))
(assert_return (invoke $a "inc") (i32.const 2))
(assert_return (invoke $b "get") (i32.const 0))
(register "a" $a)
(register "b" $b)

;; a function of another instance's table works on that instance, whichever way it was made
(module $user
  (import "a" "t" (table $ta 2 funcref))
  (import "b" "t" (table $tb 2 funcref))
  (import "a" "inc" (func $inc (result i32)))
  (func (export "call-a") (param i32) (result i32) (call_indirect $ta (result i32) (local.get 0)))
  (func (export "call-b") (param i32) (result i32) (call_indirect $tb (result i32) (local.get 0)))
  (func (export "copy") (table.copy $tb $ta (i32.const 0) (i32.const 0) (i32.const 2)))
  (func (export "put") (table.set $ta (i32.const 1) (ref.func $inc)))
  (elem declare func $inc))
(assert_return (invoke $user "call-a" (i32.const 0)) (i32.const 3))
(assert_return (invoke $user "call-b" (i32.const 0)) (i32.const 1))
(assert_return (invoke $user "copy"))
(assert_return (invoke $user "call-b" (i32.const 0)) (i32.const 4))
(assert_return (invoke $user "call-b" (i32.const 1)) (i32.const 4))
(assert_return (invoke $user "put"))
(assert_return (invoke $user "call-a" (i32.const 1)) (i32.const 5))
(assert_return (invoke $b "get") (i32.const 1))

;; tags of two instances of one module differ
(module $catcher
  (import "a" "e" (tag $ea (param i32)))
  (import "a" "throw" (func $throw-a))
  (import "b" "throw" (func $throw-b))
  (func (export "own") (result i32)
    (block $h (result i32) (try_table (catch $ea $h) (call $throw-a)) (i32.const -1)))
  (func (export "other") (result i32)
    (block $h (result i32) (try_table (catch $ea $h) (call $throw-b)) (i32.const -1))))
(assert_return (invoke $catcher "own") (i32.const 5))
(assert_exception (invoke $catcher "other"))

;; sizes at the time of linking count, maxima as declared
(module $grower
  (import "a" "mem" (memory 1))
  (import "a" "t" (table 2 funcref))
  (func (export "grow") (result i32 i32) (memory.grow (i32.const 1)) (table.grow (ref.null func) (i32.const 3))))
(assert_unlinkable (module (import "a" "mem" (memory 2))) "incompatible import type")
(assert_return (invoke $grower "grow") (i32.const 1) (i32.const 2))
(module (import "a" "mem" (memory 2 3)) (import "a" "t" (table 5 8 funcref)))
(assert_unlinkable (module (import "a" "mem" (memory 2 2))) "incompatible import type")
(assert_unlinkable (module (import "a" "t" (table 6 funcref))) "incompatible import type")

;; a mutable global is one place for all
(module $writer
  (import "a" "n" (global $n (mut i32)))
  (export "again" (global $n))
  (func (export "set") (param i32) (global.set $n (local.get 0))))
(register "writer" $writer)
(module $reader (import "writer" "again" (global $n (mut i32))) (func (export "get") (result i32) (global.get $n)))
(assert_return (invoke $writer "set" (i32.const 70)))
(assert_return (invoke $a "get") (i32.const 70))
(assert_return (invoke $reader "get") (i32.const 70))
(assert_unlinkable (module (import "writer" "again" (global i32))) "incompatible import type")

;; a start function that traps leaves the functions that it gave away, and they keep their instance
(assert_trap
  (module
    (import "a" "t" (table $t 5 funcref))
    (import "a" "mem" (memory 1))
    (global $g (mut i32) (i32.const 20))
    (func $mine (result i32) (global.set $g (i32.add (global.get $g) (i32.const 1))) (global.get $g))
    (elem (i32.const 3) $mine)
    (data (i32.const 9) "z")
    (func $start unreachable)
    (start $start))
  "unreachable")
(assert_return (invoke $user "call-a" (i32.const 3)) (i32.const 21))
(assert_return (invoke $user "call-a" (i32.const 3)) (i32.const 22))
(module $look (import "a" "mem" (memory 1)) (func (export "at") (param i32) (result i32) (i32.load8_u (local.get 0))))
(assert_return (invoke $look "at" (i32.const 9)) (i32.const 122))

;; segments before the one that fails are written, those after it are not
(assert_trap
  (module
    (import "a" "mem" (memory 1))
    (data (i32.const 20) "a") (data (i32.const 0x7fffffff) "b") (data (i32.const 21) "c"))
  "out of bounds memory access")
(assert_return (invoke $look "at" (i32.const 20)) (i32.const 97))
(assert_return (invoke $look "at" (i32.const 21)) (i32.const 0))

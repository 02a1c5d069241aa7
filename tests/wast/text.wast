;; The text format where it matters at run time: which index a name or an abbreviation stands for, and in which order folded
;; instructions run.

(module
  ;; Two of each, so that a wrong default or a swapped pair shows.
  (memory $m0 (data "zero"))
  (memory $m1 1)
  (table $t0 3 funcref)
  (table $t1 3 funcref)
  (data $d0 "first")
  (data $d1 "second")
  (elem $e0 func $seven)
  (elem $e1 func $eight $nine)
  (global $trace (mut i32) (i32.const 0))

  (func $seven (result i32) (i32.const 7))
  (func $eight (result i32) (i32.const 8))
  (func $nine (result i32) (i32.const 9))

  ;; memory.init and table.init: container first in the text, last in the binary.
  (func (export "memory.init") (result i32)
    (memory.init $m1 $d1 (i32.const 8) (i32.const 0) (i32.const 6))
    (i32.load8_u $m1 (i32.const 8)))
  (func (export "memory.init-default") (result i32)
    (memory.init $d0 (i32.const 8) (i32.const 1) (i32.const 2))
    (i32.load16_u (i32.const 8)))
  (func (export "memory.copy") (result i32)
    (memory.copy $m1 $m0 (i32.const 100) (i32.const 0) (i32.const 4))
    (i32.load $m1 (i32.const 100)))
  (func (export "table.init") (result i32)
    (table.init $t1 $e1 (i32.const 1) (i32.const 1) (i32.const 1))
    (call_indirect $t1 (result i32) (i32.const 1)))
  (func (export "table.init-default") (result i32)
    (table.init $e0 (i32.const 2) (i32.const 0) (i32.const 1))
    (call_indirect (result i32) (i32.const 2)))
  (func (export "table.copy") (result i32)
    (table.copy $t1 $t0 (i32.const 0) (i32.const 2) (i32.const 1))
    (call_indirect $t1 (result i32) (i32.const 0)))

  ;; Operands run before what uses them, in the order in which they are written.
  (func $note (param $digit i32) (result i32)
    (global.set $trace (i32.add (i32.mul (global.get $trace) (i32.const 10)) (local.get $digit)))
    (local.get $digit))
  (func (export "order") (result i32)
    (global.set $trace (i32.const 0))
    (drop (i32.sub
      (i32.add (call $note (i32.const 1)) (call $note (i32.const 2)))
      (if (result i32) (call $note (i32.const 3))
        (then (call $note (i32.const 4)))
        (else (call $note (i32.const 5))))))
    (drop (select (call $note (i32.const 6)) (call $note (i32.const 7)) (call $note (i32.const 8))))
    (global.get $trace))
  (func (export "subtract") (result i32) (i32.sub (i32.const 10) (i32.const 3)))

  ;; Of two labels with one name the inner one counts, and after its end the outer one again.
  (func (export "shadow") (param $which i32) (result i32)
    (local $n i32)
    (block $l
      (block $l
        (block $l (br_if $l (i32.eq (local.get $which) (i32.const 0))) (local.set $n (i32.const 1)))
        (br_if $l (i32.eq (local.get $which) (i32.const 1)))
        (local.set $n (i32.add (local.get $n) (i32.const 10))))
      (br_if $l (i32.eq (local.get $which) (i32.const 2)))
      (local.set $n (i32.add (local.get $n) (i32.const 100))))
    (local.get $n))
  (func (export "br_table") (param i32) (result i32)
    (block $c (block $b (block $a (br_table $b $a $c (local.get 0))) (return (i32.const 1))) (return (i32.const 2)))
    (i32.const 3))

  ;; The condition of a folded if is outside of its label.
  (func (export "if-label") (result i32)
    (block $l (result i32)
      (if $l (result i32) (br $l (i32.const 5)) (then (i32.const 6)) (else (i32.const 7)))
      (i32.add (i32.const 1))))

  ;; So are catch clauses.
  (tag $e (param i32))
  (func (export "catch-label") (result i32)
    (block $l (result i32)
      (drop (try_table $l (result i32) (catch $e $l) (throw $e (i32.const 5))))
      (i32.const 6)))

  ;; Names of fields belong to their type.
  (type $pair (struct (field $a i32) (field $b i32)))
  (type $reversed (struct (field $b i32) (field $a i32)))
  (func (export "fields") (result i32)
    (i32.sub
      (i32.mul (struct.get $pair $b (struct.new $pair (i32.const 1) (i32.const 20))) (i32.const 2))
      (struct.get $reversed $b (struct.new $reversed (i32.const 3) (i32.const 4)))))

  ;; Locals: parameters first, named or not, then the rest.
  (func (export "locals") (param i32) (param $x i32) (param i32 i32) (result i32) (local $y i32) (local i32) (local $z i32)
    (local.set 4 (i32.const 1000)) (local.set 6 (i32.const 10000))
    (i32.add (i32.add (local.get $x) (local.get 3)) (i32.add (local.get $y) (local.get $z))))

  (func $"quoted \u{41}" (result i32) (i32.const 65))
  (func (export "quoted") (result i32) (call $"quoted A"))

  ;; Memory 0 is as large as its data; offsets and alignments.
  (func (export "size") (result i32) (i32.add (memory.size) (memory.size $m1)))
  (func (export "offset") (result i32) (i32.load8_u offset=0x2 align=1 (i32.const 1)))

  ;; The first type of its form, and one that is appended.
  (type $unused (func (param f32)))
  (func (export "block-types") (result i32)
    (i32.const 2) (i32.const 3)
    (block (param i32 i32) (result i32 i32) (i32.add (i32.const 1)))
    (i32.mul))
)

(assert_return (invoke "memory.init") (i32.const 0x73))
(assert_return (invoke "memory.init-default") (i32.const 0x7269))
(assert_return (invoke "memory.copy") (i32.const 0x6f72657a))
(assert_return (invoke "table.init") (i32.const 9))
(assert_return (invoke "table.init-default") (i32.const 7))
(assert_return (invoke "table.copy") (i32.const 7))
(assert_return (invoke "order") (i32.const 1234678))
(assert_return (invoke "subtract") (i32.const 7))
(assert_return (invoke "shadow" (i32.const 0)) (i32.const 110))
(assert_return (invoke "shadow" (i32.const 1)) (i32.const 101))
(assert_return (invoke "shadow" (i32.const 2)) (i32.const 11))
(assert_return (invoke "shadow" (i32.const 3)) (i32.const 111))
(assert_return (invoke "br_table" (i32.const 0)) (i32.const 2))
(assert_return (invoke "br_table" (i32.const 1)) (i32.const 1))
(assert_return (invoke "br_table" (i32.const 2)) (i32.const 3))
(assert_return (invoke "br_table" (i32.const 9)) (i32.const 3))
(assert_return (invoke "if-label") (i32.const 5))
(assert_return (invoke "catch-label") (i32.const 5))
(assert_return (invoke "fields") (i32.const 37))
(assert_return (invoke "locals" (i32.const 1) (i32.const 2) (i32.const 4) (i32.const 8)) (i32.const 11010))
(assert_return (invoke "quoted") (i32.const 65))
(assert_return (invoke "size") (i32.const 2))
(assert_return (invoke "offset") (i32.const 0x6f))
(assert_return (invoke "block-types") (i32.const 8))

;; Numbers are rounded once, whatever the way they are written.
(module
  (func (export "f32-half") (result f32) (f32.const 1.000000059604644775390625))
  (func (export "f32-above-half") (result f32) (f32.const 1.00000005960464477539062500000000000000000001))
  (func (export "f32-hex") (result f32) (f32.const 0x1.00000100000000000000001p0))
  (func (export "f64-half") (result f64) (f64.const 9007199254740993))
  (func (export "f64-subnormal") (result f64) (f64.const 2.4703282292062328e-324)))
(assert_return (invoke "f32-half") (f32.const 0x1p0))
(assert_return (invoke "f32-above-half") (f32.const 0x1.000002p0))
(assert_return (invoke "f32-hex") (f32.const 0x1.000002p0))
(assert_return (invoke "f64-half") (f64.const 0x1p53))
(assert_return (invoke "f64-subnormal") (f64.const 0x1p-1074))

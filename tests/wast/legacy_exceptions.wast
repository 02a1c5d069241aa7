;; The exception instructions of before 3.0 (try, catch, catch_all, delegate, rethrow), which LLVM and Emscripten emit: flat and folded text,
;; what they compute, what they let through, and what is refused.

(module $m
  (tag $e (param i32))
  (tag $f (param i32 i32))
  (tag $empty)
  (tag $out (export "out") (param i64))

  (func $throw-e (param $x i32) (throw $e (local.get $x)))
  (func $throw-f (param $x i32) (param $y i32) (throw $f (local.get $x) (local.get $y)))

  ;; The payload arrives; without an exception the body's result does.
  (func (export "simple") (param $x i32) (result i32)
    (try (result i32)
      (do (if (local.get $x) (then (throw $e (local.get $x)))) (i32.const -1))
      (catch $e)))

  (func (export "flat") (param i32) (result i32)
    try $t (result i32)
      local.get 0
      if
        local.get 0
        throw $e
      end
      i32.const -1
    catch $e
      i32.const 1
      i32.add
    catch_all
      i32.const -2
    end $t)

  ;; Thrown 0: e, 1: f, 2: empty, 3: none.
  (func $thrower (param $which i32)
    (block $three
      (block $two
        (block $one
          (block $zero (br_table $zero $one $two $three (local.get $which)))
          (call $throw-e (i32.const 10)))
        (call $throw-f (i32.const 20) (i32.const 21)))
      (throw $empty)))

  (func (export "clauses") (param $which i32) (result i32)
    (try (result i32)
      (do (call $thrower (local.get $which)) (i32.const 1))
      (catch $e (i32.const 1) (i32.add))
      (catch $f (i32.mul))
      (catch_all (i32.const 3))))

  ;; Only what no clause takes goes on to the outer try.
  (func (export "nested") (param $which i32) (result i32)
    (try (result i32)
      (do
        (try (result i32)
          (do (call $thrower (local.get $which)) (i32.const 1))
          (catch $e (i32.const 100) (i32.add))))
      (catch $f (drop))
      (catch $empty (i32.const 30))))

  ;; A clause is outside of its own try.
  (func (export "throw-in-clause") (result i32)
    (try (result i32)
      (do
        (try (result i32)
          (do (throw $e (i32.const 1)))
          (catch $e (drop) (throw $e (i32.const 2)))
          (catch_all (i32.const 3))))
      (catch $e (i32.const 10) (i32.add))))

  (func (export "rethrow") (param $x i32) (result i32)
    (try (result i32)
      (do
        (try (result i32)
          (do (throw $e (local.get $x)))
          (catch_all (rethrow 0))))
      (catch $e (i32.const 5) (i32.add))))

  ;; Of two exceptions that have been caught, the outer one goes on.
  (func (export "rethrow-outer") (result i32)
    (try (result i32)
      (do
        (try $outer (result i32)
          (do (throw $e (i32.const 1)))
          (catch $e
            (drop)
            (try (result i32)
              (do (throw $e (i32.const 2)))
              (catch $e (drop) (rethrow $outer))))))
      (catch $e)))

  (func (export "rethrow-inner") (result i32)
    (try (result i32)
      (do
        (try $outer (result i32)
          (do (throw $e (i32.const 1)))
          (catch $e
            (drop)
            (try $inner (result i32)
              (do (throw $e (i32.const 2)))
              (catch $e (drop) (rethrow $inner))))))
      (catch $e)))

  ;; delegate passes over the try between.
  (func (export "delegate") (result i32)
    (try $outer (result i32)
      (do
        (try (result i32)
          (do
            (try (result i32)
              (do (throw $e (i32.const 1)))
              (delegate $outer)))
          (catch $e (drop) (i32.const 2))))
      (catch $e (drop) (i32.const 3))))

  (func (export "delegate-next") (result i32)
    try (result i32)
      try (result i32)
        i32.const 7
        throw $e
      delegate 0
    catch $e
    end)

  ;; To a block that is no try: to what is around it.
  (func (export "delegate-block") (result i32)
    (try (result i32)
      (do
        (block $b (result i32)
          (try (result i32)
            (do
              (try (result i32)
                (do (throw $e (i32.const 4)))
                (delegate $b)))
            (catch $e (drop) (i32.const 5)))))
      (catch $e (i32.const 10) (i32.mul))))

  ;; Out of the function.
  (func $delegate-out
    (try
      (do
        (try
          (do (throw $e (i32.const 6)))
          (delegate 1)))
      (catch_all)))
  (func (export "delegate-out") (result i32)
    (try (result i32)
      (do (call $delegate-out) (i32.const 0))
      (catch $e)))

  (func (export "delegate-nothing") (result i32)
    (block (result i32) (try (result i32) (do (i32.const 8)) (delegate 0))))

  ;; Branches and returns leave a try as they leave a block.
  (func (export "leave") (param $how i32) (result i32)
    (local $n i32)
    (block $b (result i32)
      (try $t (result i32)
        (do
          (if (i32.eq (local.get $how) (i32.const 1)) (then (br $b (i32.const 11))))
          (if (i32.eq (local.get $how) (i32.const 2)) (then (br $t (i32.const 12))))
          (if (i32.eq (local.get $how) (i32.const 3)) (then (return (i32.const 13))))
          (if (i32.eq (local.get $how) (i32.const 4)) (then (throw $e (i32.const 14))))
          (throw $empty))
        (catch $e (br $b (i32.add (i32.const 100))))
        (catch_all (br $t (i32.const 15))))))

  ;; Locals keep what was written before the exception; a loop goes on after it.
  (func (export "loop") (param $n i32) (result i32)
    (local $sum i32)
    (loop $again
      (try
        (do
          (local.set $sum (i32.add (local.get $sum) (i32.const 1)))
          (call $throw-e (local.get $n)))
        (catch $e (local.set $sum (i32.add (local.get $sum)))))
      (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
    (local.get $sum))

  (func (export "params") (param $x i32) (result i32)
    (local.get $x)
    (try (param i32) (result i32)
      (do (throw $e))
      (catch $e (i32.const 3) (i32.mul))))

  ;; Operands below the try are still there.
  (func (export "operands") (result i32)
    (i32.sub (i32.const 50) (try (result i32) (do (call $throw-e (i32.const 8)) (i32.const 1)) (catch $e))))

  (func $deep (param $n i32)
    (if (local.get $n)
      (then (call $deep (i32.sub (local.get $n) (i32.const 1))))
      (else (throw $f (i32.const 6) (i32.const 7)))))
  (func (export "deep") (param $n i32) (result i32)
    (try (result i32) (do (call $deep (local.get $n)) (i32.const 0)) (catch $f (i32.mul))))

  ;; Traps are no exceptions.
  (func (export "trap") (result i32)
    (try (result i32) (do (unreachable)) (catch_all (i32.const 1))))
  (func (export "divide") (param $x i32) (result i32)
    (try (result i32) (do (i32.div_s (i32.const 1) (local.get $x))) (catch_all (i32.const 1))))

  (func (export "uncaught") (try (do (throw $e (i32.const 1))) (catch $empty)))
  (func (export "rethrown") (try (do (throw $out (i64.const 1))) (catch_all (rethrow 0))))
  (func (export "empty") (try (do)))
  (func (export "throw-out") (param i64) (throw $out (local.get 0)))
)

(assert_return (invoke "simple" (i32.const 0)) (i32.const -1))
(assert_return (invoke "simple" (i32.const 42)) (i32.const 42))
(assert_return (invoke "flat" (i32.const 0)) (i32.const -1))
(assert_return (invoke "flat" (i32.const 42)) (i32.const 43))
(assert_return (invoke "clauses" (i32.const 0)) (i32.const 11))
(assert_return (invoke "clauses" (i32.const 1)) (i32.const 420))
(assert_return (invoke "clauses" (i32.const 2)) (i32.const 3))
(assert_return (invoke "clauses" (i32.const 3)) (i32.const 1))
(assert_return (invoke "nested" (i32.const 0)) (i32.const 110))
(assert_return (invoke "nested" (i32.const 1)) (i32.const 20))
(assert_return (invoke "nested" (i32.const 2)) (i32.const 30))
(assert_return (invoke "nested" (i32.const 3)) (i32.const 1))
(assert_return (invoke "throw-in-clause") (i32.const 12))
(assert_return (invoke "rethrow" (i32.const 7)) (i32.const 12))
(assert_return (invoke "rethrow-outer") (i32.const 1))
(assert_return (invoke "rethrow-inner") (i32.const 2))
(assert_return (invoke "delegate") (i32.const 3))
(assert_return (invoke "delegate-next") (i32.const 7))
(assert_return (invoke "delegate-block") (i32.const 40))
(assert_return (invoke "delegate-out") (i32.const 6))
(assert_return (invoke "delegate-nothing") (i32.const 8))
(assert_return (invoke "leave" (i32.const 1)) (i32.const 11))
(assert_return (invoke "leave" (i32.const 2)) (i32.const 12))
(assert_return (invoke "leave" (i32.const 3)) (i32.const 13))
(assert_return (invoke "leave" (i32.const 4)) (i32.const 114))
(assert_return (invoke "leave" (i32.const 5)) (i32.const 15))
(assert_return (invoke "loop" (i32.const 3)) (i32.const 9))
(assert_return (invoke "loop" (i32.const 1000)) (i32.const 501500))
(assert_return (invoke "params" (i32.const 5)) (i32.const 15))
(assert_return (invoke "operands") (i32.const 42))
(assert_return (invoke "deep" (i32.const 0)) (i32.const 42))
(assert_return (invoke "deep" (i32.const 500)) (i32.const 42))
(assert_trap (invoke "trap") "unreachable")
(assert_trap (invoke "divide" (i32.const 0)) "integer divide by zero")
(assert_return (invoke "divide" (i32.const 1)) (i32.const 1))
(assert_exception (invoke "uncaught"))
(assert_exception (invoke "rethrown"))
(assert_exception (invoke "throw-out" (i64.const 1)))
(assert_return (invoke "empty"))

;; Across instances, with tags of the other one.
(register "m" $m)
(module
  (import "m" "out" (tag $out (param i64)))
  (import "m" "throw-out" (func $throw-out (param i64)))
  (tag $other (param i64))
  (func (export "catch-other") (param i64) (result i64)
    (try (result i64)
      (do (call $throw-out (local.get 0)) (i64.const 0))
      (catch $other)
      (catch $out (i64.const 1) (i64.add)))))
(assert_return (invoke "catch-other" (i64.const 0x1_0000_0000)) (i64.const 0x1_0000_0001))

;; Refused by validation.
(assert_invalid (module (func (rethrow 0))) "invalid rethrow label")
(assert_invalid (module (func (block (rethrow 0)))) "invalid rethrow label")
(assert_invalid (module (func (try (do (rethrow 0)) (catch_all)))) "invalid rethrow label")
(assert_invalid (module (func (try (do) (delegate 1)))) "unknown label")
(assert_invalid (module (func (try (do (throw 0))))) "unknown tag")
(assert_invalid (module (func (try (do) (catch 0)))) "unknown tag")
(assert_invalid (module (tag (param i32)) (func (try (do (throw 0))))) "type mismatch")
(assert_invalid (module (tag (param i32)) (func (try (do) (catch 0)))) "type mismatch")
(assert_invalid (module (func (result i32) (try (result i32) (do)))) "type mismatch")
(assert_invalid (module (func (result i32) (try (result i32) (do (i32.const 1)) (catch_all)))) "type mismatch")

;; Refused by the grammar.
(assert_malformed (module quote "(func try catch_all catch_all end)") "unexpected token")
(assert_malformed (module quote "(tag) (func try catch_all catch 0 end)") "unexpected token")
(assert_malformed (module quote "(func (try (catch_all)))") "unexpected token")
(assert_malformed (module quote "(func (try (do) (do)))") "unexpected token")
(assert_malformed (module quote "(func block catch_all end)") "unexpected token")
(assert_malformed (module quote "(func block delegate 0)") "unexpected token")
(assert_malformed (module quote "(func try catch_all delegate 0 end)") "unexpected token")
(assert_malformed (module quote "(func (try (do) (catch_all) (delegate 0)))") "unexpected token")
(assert_malformed (module quote "(func try $a end $b)") "mismatching label")
(assert_malformed (module quote "(func (try $a (do) (catch_all (rethrow $b))))") "unknown label")

;; wait_notify.wast - waiting and waking (threads proposal) beyond the suite: counts of waiters that are woken, several addresses, both widths, time, waits
;; that end at once, memories that are not shared.

(module $mem (memory (export "m") 1 1 shared))

(register "mem" $mem)
(module $here
  (memory (import "mem" "m") 1 1 shared)
  (func (export "wait32") (param i32 i32 i64) (result i32) (memory.atomic.wait32 (local.get 0) (local.get 1) (local.get 2)))
  (func (export "wait64") (param i32 i64 i64) (result i32) (memory.atomic.wait64 (local.get 0) (local.get 1) (local.get 2)))
  (func (export "notify") (param i32 i32) (result i32) (memory.atomic.notify (local.get 0) (local.get 1)))
  (func (export "notify-exactly") (param $address i32) (param $count i32) (result i32) (local $woken i32)
    ;; wakes exactly $count waiters, whenever they come
    (loop $more
      (local.set $woken (i32.add (local.get $woken)
        (memory.atomic.notify (local.get $address) (i32.sub (local.get $count) (local.get $woken)))))
      (br_if $more (i32.lt_u (local.get $woken) (local.get $count))))
    (local.get $woken))
  (func (export "store") (param i32 i32) (i32.atomic.store (local.get 0) (local.get 1))))


;; values that differ, time that passes, bounds before alignment
(assert_return (invoke $here "wait32" (i32.const 0) (i32.const 1) (i64.const -1)) (i32.const 1))
(assert_return (invoke $here "wait64" (i32.const 8) (i64.const 1) (i64.const -1)) (i32.const 1))
(assert_return (invoke $here "wait32" (i32.const 0) (i32.const 0) (i64.const 0)) (i32.const 2))
(assert_return (invoke $here "wait64" (i32.const 8) (i64.const 0) (i64.const 1000)) (i32.const 2))
(assert_return (invoke $here "notify" (i32.const 0) (i32.const -1)) (i32.const 0))
(assert_return (invoke $here "notify" (i32.const 65532) (i32.const 0)) (i32.const 0))
(assert_trap (invoke $here "notify" (i32.const 65536) (i32.const 0)) "out of bounds memory access")
(assert_trap (invoke $here "notify" (i32.const 2) (i32.const 0)) "unaligned atomic")
(assert_trap (invoke $here "wait32" (i32.const 65535) (i32.const 0) (i64.const 0)) "out of bounds memory access")
(assert_trap (invoke $here "wait64" (i32.const 4) (i64.const 0) (i64.const 0)) "unaligned atomic")

;; three waiters at one address and one at another: each is woken once
(thread $t1 (shared (module $mem)) (register "mem" $mem)
  (module (memory (import "mem" "m") 1 1 shared)
    (func (export "wait") (result i32) (memory.atomic.wait32 (i32.const 16) (i32.const 0) (i64.const -1))))
  (assert_return (invoke "wait") (i32.const 0)))
(thread $t2 (shared (module $mem)) (register "mem" $mem)
  (module (memory (import "mem" "m") 1 1 shared)
    (func (export "wait") (result i32) (memory.atomic.wait32 (i32.const 16) (i32.const 0) (i64.const -1))))
  (assert_return (invoke "wait") (i32.const 0)))
(thread $t3 (shared (module $mem)) (register "mem" $mem)
  (module (memory (import "mem" "m") 1 1 shared)
    (func (export "wait") (result i32) (memory.atomic.wait64 (i32.const 16) (i64.const 0) (i64.const -1))))
  (assert_return (invoke "wait") (i32.const 0)))
(thread $t4 (shared (module $mem)) (register "mem" $mem)
  (module (memory (import "mem" "m") 1 1 shared)
    (func (export "wait") (result i32) (memory.atomic.wait32 (i32.const 24) (i32.const 0) (i64.const -1))))
  (assert_return (invoke "wait") (i32.const 0)))
(assert_return (invoke $here "notify-exactly" (i32.const 16) (i32.const 3)) (i32.const 3))
(assert_return (invoke $here "notify" (i32.const 16) (i32.const -1)) (i32.const 0))
(assert_return (invoke $here "notify-exactly" (i32.const 24) (i32.const 1)) (i32.const 1))
(wait $t1)
(wait $t2)
(wait $t3)
(wait $t4)

;; memories that are not shared: nobody waits
(module $alone
  (memory 1)
  (func (export "wait") (result i32) (memory.atomic.wait32 (i32.const 0) (i32.const 0) (i64.const 0)))
  (func (export "notify") (result i32) (memory.atomic.notify (i32.const 0) (i32.const 1))))
(assert_trap (invoke $alone "wait") "expected shared memory")
(assert_return (invoke $alone "notify") (i32.const 0))

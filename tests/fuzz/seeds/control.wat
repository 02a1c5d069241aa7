(module
  (type $t (func (param i32) (result i32)))
  (import "m" "f" (func $imported (type $t)))
  (table $table 4 10 funcref)
  (elem (i32.const 0) $imported $g)
  (elem declare func $g)
  (func $g (type $t)
    (block $out (result i32)
      (loop $again
        (br_table $out $again $out (local.get 0) (local.get 0))))
    (return_call_indirect $table (type $t) (i32.const 1)))
  (func (export "r") (result i32) (call_ref $t (i32.const 1) (ref.func $g)))
  (start $s) (func $s))

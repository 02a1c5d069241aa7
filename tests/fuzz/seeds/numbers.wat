(module $numbers
  (func $f (export "f") (param $a i32) (param i64 f32 f64) (result i32 i64)
    (local v128)
    local.get $a
    i32.const -0x8000_0000
    i32.rotl
    (if (result i32) (then (i32.const 1)) (else (i32.trunc_sat_f64_s (f64.const -nan:0x1234))))
    (i64.extend_i32_u (i32.clz (local.get 0)))
    (local.set 4 (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 31 (v128.const i32x4 1 2 3 4) (v128.const f64x2 inf 0x1p-3)))
    (drop (f32x4.extract_lane 3 (local.get 4)))))

// Package unit is what Go's own compiler compiles as a guest; the object must be the one that the native compiler makes.
package unit

type number interface{ ~int | ~float64 }

type tree[T number] struct {
	left, right *tree[T]
	value       T
}

func (t *tree[T]) insert(value T) *tree[T] {
	if t == nil {
		return &tree[T]{value: value}
	}
	if value < t.value {
		t.left = t.left.insert(value)
	} else {
		t.right = t.right.insert(value)
	}
	return t
}

func (t *tree[T]) walk(visit func(T) bool) bool {
	return t == nil || t.left.walk(visit) && visit(t.value) && t.right.walk(visit)
}

// Sorted returns the values in order, through a tree.
func Sorted(values []int) (out []int) {
	defer func() {
		if recover() != nil {
			out = nil
		}
	}()
	var root *tree[int]
	for _, v := range values {
		root = root.insert(v)
	}
	root.walk(func(v int) bool { out = append(out, v); return true })
	return out
}

// Mean is an average of floats.
func Mean(values []float64) float64 {
	var root *tree[float64]
	sum := 0.0
	for _, v := range values {
		root = root.insert(v)
	}
	root.walk(func(v float64) bool { sum += v; return true })
	return sum / float64(len(values))
}

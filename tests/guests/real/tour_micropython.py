# tour_micropython.py - what MicroPython is asked to do as a guest: numbers, text, exceptions, generators, classes.
import json, sys


def primes():
    found = []
    candidate = 2
    while True:
        if all(candidate % p for p in found):
            found.append(candidate)
            yield candidate
        candidate += 1


numbers = primes()
print([next(numbers) for _ in range(20)], 3**50, 7 // 2, -7 % 3)
print(json.dumps([1, {"a": None}]), json.loads('{"x": [1, 2.5, "\\u00fc"]}'))
try:
    try:
        [][1]
    finally:
        print("finally")
except IndexError as error:
    print("IndexError:", error)


class Counter:
    def __init__(self):
        self.counts = {}

    def __call__(self, words):
        for word in words.split():
            self.counts[word] = self.counts.get(word, 0) + 1
        return self


print(sorted(Counter()("a b a c b a")("c c").counts.items()))
print("{:>8.3f}|{:<5}|{:x}".format(2 / 3, "ab", 255), sys.implementation[0])


def deep(n):
    return n and 1 + deep(n - 1)


try:
    deep(10**6)
except RuntimeError as error:
    print("RuntimeError:", error)

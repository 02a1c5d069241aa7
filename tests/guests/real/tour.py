# tour.py - what CPython is asked to do as a guest: its library from inside the module, files of the folder given to it, exceptions, generators.
import collections, dataclasses, decimal, fractions, functools, hashlib, io, itertools, json, math, os, random, re, struct, sys, textwrap, unicodedata, zlib


def numbers():
    print(2**200, math.factorial(30), fractions.Fraction(1, 3) + fractions.Fraction(1, 6))
    print(decimal.Decimal("1.1") + decimal.Decimal("2.2"), 0.1 + 0.2, float("1e-310"), round(2.675, 2), math.sin(1e6))
    generator = random.Random(2024)
    print([generator.randrange(1000) for _ in range(6)], f"{generator.gauss(0, 1):.12f}")


def text():
    print(re.findall(r"(?P<key>\w+)=(\d+)", "a=1, bee=22; c=x, d=333"))
    print(re.sub(r"(\w+) (\w+)", r"\2 \1", "hello world of wasm"), "ß".upper(), unicodedata.name("€"))
    print(textwrap.fill("a module is a unit of code that is loaded, validated and then instantiated", 30))


def data():
    record = {"name": "mote", "list": [1, 2.5, None, True], "nested": {"ü": "€"}}
    encoded = json.dumps(record, sort_keys=True)
    print(encoded, json.loads(encoded) == record)
    print(hashlib.sha256(encoded.encode()).hexdigest())
    print(hashlib.md5(b"wasm").hexdigest(), hashlib.blake2b(b"wasm", digest_size=8).hexdigest())
    print(zlib.crc32(b"wasm"), zlib.decompress(zlib.compress(encoded.encode() * 50))[-9:])
    print(struct.pack(">IhQ", 1, -2, 3).hex(), collections.Counter("abracadabra").most_common(2))


def files():
    print(sorted(os.listdir("/texts")))
    with open("/texts/limerick.txt", encoding="utf-8") as file:
        print(sum(len(line.split()) for line in file), "words")
    with open("/scratch/tour-py.txt", "w") as file:
        file.writelines(f"{i}\n" for i in range(100))
    print(os.stat("/scratch/tour-py.txt").st_size, "bytes")
    os.remove("/scratch/tour-py.txt")
    try:
        open("/texts/missing.txt")
    except FileNotFoundError as error:
        print(type(error).__name__, error.errno == 44 or error.errno == 2)
    try:
        open("/texts/../../etc/passwd")
    except OSError as error:
        print("refused:", type(error).__name__ in ("PermissionError", "OSError"))


@dataclasses.dataclass(order=True)
class Point:
    x: int
    y: int = 0


def language():
    print(max([Point(1, 5), Point(2), Point(1, 9)]), [*itertools.accumulate(range(8))])

    @functools.lru_cache(maxsize=None)
    def fib(n):
        return n if n < 2 else fib(n - 1) + fib(n - 2)

    print(fib(18))
    depth = 0

    def deeper():
        nonlocal depth
        depth += 1
        deeper()

    sys.setrecursionlimit(200)
    try:
        deeper()
    except RecursionError:
        print("recursion stopped:", 100 < depth < 200)
    try:
        {}["x"]
    except KeyError as error:
        print("KeyError", error)
    print(io.StringIO("a\nb\n").readlines(), sys.argv[1:], os.environ.get("GREETING"))


for part in (numbers, text, data, files, language):
    part()

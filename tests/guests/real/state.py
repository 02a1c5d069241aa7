# A runtime's own files, whose directory is a store: JSON and CSV written and read, appended to, listed, renamed, removed; what is refused says so.
import csv, errno, json, os, pathlib, shutil, tempfile

root = pathlib.Path("/state")
orders = root / "orders"
orders.mkdir(exist_ok=True)
for number in range(3):
    (orders / f"{number}.json").write_text(json.dumps({"id": number, "big": 12345678901234567890, "name": "Grüße"}, ensure_ascii=False))
print(sorted(p.name for p in orders.iterdir()))
print(sum(json.loads(p.read_text())["id"] for p in orders.glob("*.json")), json.loads((orders / "1.json").read_text())["big"])

with open(root / "log.csv", "w", newline="") as f:
    csv.writer(f).writerows([["a", 1], ["b, c", 2]])
with open(root / "log.csv", "a", newline="") as f:
    csv.writer(f).writerow(["d", 3])
with open(root / "log.csv", newline="") as f:
    print(list(csv.reader(f)))

(root / "bytes").write_bytes(bytes(range(256)) * 40)
data = (root / "bytes").read_bytes()
print(len(data), data[255], os.stat(root / "bytes").st_size, os.path.isdir(orders), os.path.isfile(orders))

os.rename(orders / "2.json", orders / "two.json")
(orders / "0.json").unlink()
print(sorted(os.listdir(orders)))
with open(root / "update", "w+") as f:
    f.write("one two")
with open(root / "update", "r+") as f:
    f.seek(4)
    f.write("2!!")
    f.truncate(6)
print((root / "update").read_text())

# As programs write safely: a temporary file beside, synchronised, then renamed.
with tempfile.NamedTemporaryFile("w", dir=root, delete=False) as f:
    f.write("whole")
    f.flush()
    os.fsync(f.fileno())
os.replace(f.name, root / "safe")
print((root / "safe").read_text(), [n for n in os.listdir(root) if n.startswith("tmp")])


# Trees, as shutil has them: copied with their times, moved, removed with the directories that only their keys made.
(root / "tree" / "deep").mkdir(parents=True)
(root / "tree" / "deep" / "a").write_text("a")
(root / "tree" / "b").write_text("b")
shutil.copytree(root / "tree", root / "copy")
shutil.copy2(root / "copy" / "b", root / "copy" / "deep" / "c")
shutil.move(root / "copy" / "deep", root / "moved")
shutil.move(root / "moved" / "c", root / "copy" / "d")
os.utime(root / "copy" / "d")
print(sorted(str(p.relative_to(root)) for name in ("tree", "copy", "moved") for p in (root / name).rglob("*")))
for name in ("tree", "copy", "moved"):
    shutil.rmtree(root / name)
print([name for name in ("tree", "copy", "moved") if (root / name).exists()])


def refused(what, *args, **kwargs):
    try:
        what(*args, **kwargs)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"


print(refused(open, root / "a||b", "w"), refused(open, orders / "two.json", "x"), refused(os.symlink, "x", root / "y"), refused(os.rmdir, orders),
      refused((root / "large").write_bytes, bytes(5 << 20)), refused(open, root / "none"))

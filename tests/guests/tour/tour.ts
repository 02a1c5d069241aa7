// tour.ts - the tour in AssemblyScript with its WASI shim; files and folders by the shim's raw bindings. With "fail" as its argument it throws.
import {
  dircookie, dirent, errno, fd_close, fd_read, fd_readdir, filetype, lookupflags, oflags, path_open, rights,
} from "@assemblyscript/wasi-shim/assembly/bindings/wasi_snapshot_preview1";

// The descriptor of the first preopened folder; the runner gives /texts first.
const TEXTS: u32 = 3;

function open(path: string, flags: u16, wanted: u64): i32 {
  const bytes = String.UTF8.encode(path);
  const fd = memory.data(4);
  const failed = path_open(TEXTS, lookupflags.SYMLINK_FOLLOW, changetype<usize>(bytes), bytes.byteLength, flags, wanted, wanted, 0, fd);
  return failed == errno.SUCCESS ? load<i32>(fd) : -(failed as i32);
}

function readFile(): void {
  const fd = open("limerick.txt", 0, rights.FD_READ);
  const buffer = new Uint8Array(64);
  const iovec = memory.data(8);
  const done = memory.data(4);
  let lines = 0, bytes = 0, sum = 0;
  do {
    store<u32>(iovec, buffer.dataStart as u32);
    store<u32>(iovec, buffer.length, 4);
    if (fd_read(fd, iovec, 1, done) != errno.SUCCESS) break;
    for (let i = 0; i < load<i32>(done); i++) {
      if (buffer[i] == 10) lines++;
      sum += buffer[i];
    }
    bytes += load<i32>(done);
  } while (load<i32>(done) > 0);
  fd_close(fd);
  console.log(`limerick.txt: ${lines} lines, ${bytes} bytes, sum ${sum}`);
}

function listFolder(): void {
  const fd = open(".", oflags.DIRECTORY, rights.FD_READDIR);
  const buffer = new Uint8Array(4096);
  const used = memory.data(4);
  const names = new Array<string>();
  fd_readdir(fd, buffer.dataStart, buffer.length, 0 as dircookie, used);
  for (let at: u32 = 0; at < load<u32>(used);) {
    const entry = buffer.dataStart + at;
    const length = load<u32>(entry, offsetof<dirent>("namlen"));
    const name = String.UTF8.decodeUnsafe(entry + 24, length);
    if (!name.startsWith(".")) names.push(load<u8>(entry, offsetof<dirent>("type")) == filetype.DIRECTORY ? name + "/" : name);
    at += 24 + length;
  }
  fd_close(fd);
  names.sort();
  console.log("texts: " + names.join(" "));
}

function clocks(): void {
  const before = performance.now();
  const good = performance.now() >= before && Date.now() > 1600000000000;
  console.log("clocks: " + (good ? "ok" : "wrong"));
}

function randomNumbers(): void {
  const good = Math.random() != Math.random();
  console.log("random: " + (good ? "ok" : "wrong"));
}

const words = process.argv.slice(1);
if (words.length == 1 && words[0] == "fail") throw new Error("as asked");
console.log("arguments: " + words.length.toString());
for (let i = 0; i < words.length; i++) console.log("  " + words[i]);
console.log("GREETING=" + process.env.get("GREETING"));
console.log("MISSING is " + (process.env.has("MISSING") ? "set" : "not set"));
readFile();
listFolder();
const missing = open("missing.txt", 0, rights.FD_READ);
console.log("missing.txt: " + (missing == -(errno.NOENT as i32) ? "not found" : missing.toString()));
clocks();
randomNumbers();
const line = new ArrayBuffer(100);
const count = process.stdin.read(line);
process.stdout.write("input: " + String.UTF8.decodeUnsafe(changetype<usize>(line), count));

//! tour.zig - the tour in Zig: what tour.c does, with Zig's standard library. With "fail" as its argument it goes past the end of a slice.
const std = @import("std");
const Io = std.Io;

fn lessThan(_: void, a: []const u8, b: []const u8) bool {
    return std.mem.lessThan(u8, a, b);
}

fn folder(init: std.process.Init, name: []const u8) Io.Dir {
    return init.preopens.get(name).?.dir;
}

fn readFile(init: std.process.Init, out: *Io.Writer) !void {
    const text = try folder(init, "/texts").readFileAlloc(init.io, "limerick.txt", init.arena.allocator(), .unlimited);
    var sum: u32 = 0;
    for (text) |byte| sum += byte;
    try out.print("limerick.txt: {d} lines, {d} bytes, sum {d}\n", .{ std.mem.count(u8, text, "\n"), text.len, sum });
}

fn listFolder(init: std.process.Init, out: *Io.Writer) !void {
    const arena = init.arena.allocator();
    var names: std.ArrayList([]const u8) = .empty;
    const dir = try folder(init, "/texts").openDir(init.io, ".", .{ .iterate = true });
    defer dir.close(init.io);
    var entries = dir.iterate();
    while (try entries.next(init.io)) |entry| {
        const slash = if (entry.kind == .directory) "/" else "";
        try names.append(arena, try std.mem.concat(arena, u8, &.{ entry.name, slash }));
    }
    std.mem.sort([]const u8, names.items, {}, lessThan);
    try out.writeAll("texts:");
    for (names.items) |name| try out.print(" {s}", .{name});
    try out.writeAll("\n");
}

fn writeFile(init: std.process.Init, out: *Io.Writer) !void {
    const arena = init.arena.allocator();
    const scratch = folder(init, "/scratch");
    var text: std.ArrayList(u8) = .empty;
    for (0..1000) |i| try text.print(arena, "line {d:0>6}\n", .{i});
    try scratch.writeFile(init.io, .{ .sub_path = "notes-zig.txt", .data = text.items });
    const back = try scratch.readFileAlloc(init.io, "notes-zig.txt", arena, .unlimited);
    try scratch.deleteFile(init.io, "notes-zig.txt");
    try out.print("notes.txt: wrote and read back {d} bytes\n", .{back.len});
    if (scratch.openFile(init.io, "missing.txt", .{})) |_| {
        try out.writeAll("missing.txt: found\n");
    } else |err| {
        try out.print("missing.txt: {s}\n", .{if (err == error.FileNotFound) "not found" else @errorName(err)});
    }
}

fn clocks(init: std.process.Init, out: *Io.Writer) !void {
    const before = Io.Timestamp.now(init.io, .awake);
    try init.io.sleep(.fromMilliseconds(2), .awake);
    const passed = before.durationTo(Io.Timestamp.now(init.io, .awake));
    const now = Io.Timestamp.now(init.io, .real);
    const good = passed.toNanoseconds() >= 2_000_000 and now.toSeconds() > 1_600_000_000;
    try out.print("clocks: {s}\n", .{if (good) "ok" else "wrong"});
}

fn randomNumbers(init: std.process.Init, out: *Io.Writer) !void {
    var a: [16]u8 = undefined;
    var b: [16]u8 = undefined;
    init.io.random(&a);
    init.io.random(&b);
    try out.print("random: {s}\n", .{if (std.mem.eql(u8, &a, &b)) "wrong" else "ok"});
}

pub fn main(init: std.process.Init) !void {
    const args = try init.minimal.args.toSlice(init.arena.allocator());
    if (args.len == 2 and std.mem.eql(u8, args[1], "fail")) std.debug.panic("as asked: {d} arguments", .{args.len - 1});
    var buffer: [4096]u8 = undefined;
    var writer: Io.File.Writer = .init(.stdout(), init.io, &buffer);
    const out = &writer.interface;
    try out.print("arguments: {d}\n", .{args.len - 1});
    for (args[1..]) |argument| try out.print("  {s}\n", .{argument});
    try out.print("GREETING={s}\n", .{init.environ_map.get("GREETING").?});
    try out.print("MISSING is {s}\n", .{if (init.environ_map.contains("MISSING")) "set" else "not set"});
    try readFile(init, out);
    try listFolder(init, out);
    try writeFile(init, out);
    try clocks(init, out);
    try randomNumbers(init, out);
    var input_buffer: [256]u8 = undefined;
    var reader: Io.File.Reader = .init(.stdin(), init.io, &input_buffer);
    try out.print("input: {s}", .{try reader.interface.takeDelimiterInclusive('\n')});
    try out.flush();
}

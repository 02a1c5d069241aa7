// tour.cpp - C++ by Emscripten, with the exception instructions that its LLVM emits: throw, catch by type, rethrow, destructors on the way. What Emscripten's
// standalone programs can reach of WASI (no files): arguments, environment, clocks, input and output.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

int destroyed = 0;

struct Witness {
    ~Witness() { destroyed++; }
};

struct Mishap : std::runtime_error {
    int code;
    explicit Mishap(int c) : std::runtime_error("mishap " + std::to_string(c)), code(c) {}
};

int deep(int depth) {
    Witness here;
    if (depth == 0) throw Mishap(42);
    return deep(depth - 1) + 1;
}

int rethrows() {
    try {
        return deep(9);
    } catch (const std::logic_error &) {
        return -1; // not its type
    } catch (...) {
        Witness here;
        throw;
    }
}

void exceptions() {
    try {
        rethrows();
    } catch (const Mishap &m) {
        std::printf("caught %s, code %d, %d destroyed\n", m.what(), m.code, destroyed);
    }
    int caught = 0;
    for (int i = 0; i < 1000; i++) {
        try {
            if (i % 3 == 0) throw i;
            if (i % 3 == 1) throw std::string("text");
            std::vector<int>().at(5);
        } catch (int n) {
            caught += n == i;
        } catch (const std::string &s) {
            caught += s == "text";
        } catch (const std::out_of_range &) {
            caught++;
        }
    }
    std::printf("caught %d of 1000\n", caught);
}

void containers() {
    std::map<std::string, int> counts;
    std::vector<std::string> words = {"table", "memory", "global", "memory", "tag", "table", "memory"};
    for (const auto &word : words) counts[word]++;
    std::sort(words.begin(), words.end());
    for (const auto &entry : counts) std::cout << entry.first << '=' << entry.second << ' ';
    std::cout << words.front() << ' ' << words.back() << std::endl;
}

void clocks() {
    auto before = std::chrono::steady_clock::now();
    auto now = std::chrono::system_clock::now().time_since_epoch();
    bool good = std::chrono::steady_clock::now() >= before && std::chrono::duration_cast<std::chrono::hours>(now).count() > 438000;
    std::cout << "clocks: " << (good ? "ok" : "wrong") << std::endl;
}

} // namespace

int main(int argc, char **argv) {
    if (argc > 1 && std::string(argv[1]) == "fail") throw Mishap(7);
    std::cout << "arguments: " << argc - 1 << std::endl;
    for (int i = 1; i < argc; i++) std::cout << "  " << argv[i] << std::endl;
    std::cout << "GREETING=" << std::getenv("GREETING") << std::endl;
    exceptions();
    containers();
    clocks();
    std::string line;
    std::getline(std::cin, line);
    std::cout << "input: " << line << std::endl;
    return 5;
}

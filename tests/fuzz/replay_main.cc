// Goal: what the fuzzers found once stays fixed, under any compiler and within a second.
// Method: each file of the corpus folders goes through the target as it is, then truncated and with
// bits flipped, by a random sequence that is the same in each run. The last line printed names the
// input that broke.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "fuzz/fuzz.h"

namespace {

constexpr unsigned kMutations = 64;

using Input = std::vector<char>;

void run(const Input& input) {
    // A copy of exactly this size: a sanitizer sees each byte read beyond it.
    const std::vector<std::uint8_t> bytes(input.begin(), input.end());
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

Input mutate(Input input, std::mt19937& random) {
    if (input.empty()) return input;
    if (random() % 4 == 0) input.resize(random() % input.size());
    if (input.empty()) return input;
    for (auto flips = random() % 4 + 1; flips > 0; --flips) {
        auto& byte = input[random() % input.size()];
        byte = static_cast<char>(byte ^ (1 << random() % 8));
    }
    return input;
}

void replay(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    const Input input((std::istreambuf_iterator<char>(file)), {});
    std::printf("%s\n", path.c_str());
    std::fflush(stdout);
    run(input);
    for (unsigned seed = 0; seed < kMutations; ++seed) {
        std::mt19937 random(seed);
        run(mutate(input, random));
    }
}

}  // namespace

int main(int argc, char** argv) {
    std::vector<std::filesystem::path> paths;
    for (int i = 1; i < argc; ++i) {
        for (const auto& entry : std::filesystem::directory_iterator(argv[i]))
            paths.push_back(entry.path());
    }
    if (paths.empty()) {
        std::fprintf(stderr, "usage: %s CORPUS_FOLDER..., with a file in it\n", argv[0]);
        return 2;
    }
    std::ranges::sort(paths);
    for (const auto& path : paths)
        replay(path);
    std::printf("%zu files, each also in %u mutations\n", paths.size(), kMutations);
    return 0;
}

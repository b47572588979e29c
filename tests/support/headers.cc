// Compiled for its precompiled headers, which all tests share (tests/CMakeLists.txt).
int main() {
    return 0;
}

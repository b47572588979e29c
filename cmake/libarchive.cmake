# berth_libarchive: libarchive's static library, of which the linker keeps what reads and writes tar.
#
# The shared one brings libxml2 and with it ICU, 38 MB, for formats nobody asks Berth for; the image would more
# than double. --gc-sections is what drops them: every writer stands in one table.
find_package(LibArchive REQUIRED)
find_package(ZLIB REQUIRED)
find_package(BZip2 REQUIRED)
find_package(LibLZMA REQUIRED)
pkg_check_modules(LIBARCHIVE_NEEDS REQUIRED IMPORTED_TARGET libzstd liblz4 nettle)
find_library(LIBARCHIVE_STATIC libarchive.a REQUIRED)

add_library(berth_libarchive INTERFACE)
target_include_directories(berth_libarchive SYSTEM INTERFACE ${LibArchive_INCLUDE_DIRS})
target_compile_definitions(berth_libarchive INTERFACE LIBARCHIVE_STATIC)
target_link_options(berth_libarchive INTERFACE -Wl,--gc-sections -Wl,--as-needed)
target_link_libraries(berth_libarchive INTERFACE
    ${LIBARCHIVE_STATIC} LibLZMA::LibLZMA BZip2::BZip2 ZLIB::ZLIB PkgConfig::LIBARCHIVE_NEEDS)

#include "io/directory.h"

#include <span>

#include "io/path.h"

namespace berth::io {

Result<bool> Directory::share(const File&, std::string_view) {
    return false;
}

Result<std::string> read_file(const Directory& directory, std::string_view path,
                              std::size_t bytes_max) {
    BERTH_TRY(const auto file, directory.open(path));
    BERTH_TRY(const std::uint64_t size, file->size());
    if (size > bytes_max)
        return fail(Errc::too_large,
                    std::string(path) + " is longer than " + std::to_string(bytes_max) + " bytes");
    std::string content(static_cast<std::size_t>(size), '\0');
    BERTH_TRY(const std::size_t got, file->read_at(0, std::as_writable_bytes(std::span(content))));
    content.resize(got);
    return content;
}

Result<void> replace_file(Directory& directory, std::string_view path, std::string_view content) {
    const std::string temporary = std::string(path) + ".tmp";
    auto file = directory.create(temporary);
    if (!file && file.error().code == Errc::already_exists) {
        BERTH_CHECK(directory.remove(temporary));  // a crash left it
        file = directory.create(temporary);
    }
    if (!file) return std::unexpected(std::move(file.error()));
    BERTH_CHECK((*file)->write_at(0, as_bytes(content)));
    BERTH_CHECK((*file)->sync());
    BERTH_CHECK(directory.rename(temporary, path));
    return directory.sync_directory(folder_of(path));
}

}  // namespace berth::io

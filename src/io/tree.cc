#include "io/tree.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>

#include "io/fd_file.h"
#include "io/path.h"

namespace berth::io {
namespace {

std::unexpected<Error> fail_path(std::string_view path, int os_errno) {
    return fail_errno(path.empty() ? "." : path, os_errno);
}

bool lies_below(std::string_view path, std::string_view folder) {
    return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

}  // namespace

Tree::Tree() : root_(std::make_shared<Node>()) {
    root_->is_directory = true;
}

Result<std::shared_ptr<Node>> Tree::find(std::string_view path) const {
    BERTH_CHECK(check_path(path, RootAllowed::yes));
    std::shared_ptr<Node> node = root_;
    for (std::string_view rest = path; !rest.empty();) {
        if (!node->is_directory) return fail_path(path, ENOTDIR);
        const auto slash = rest.find('/');
        const auto child = node->children.find(rest.substr(0, slash));
        if (child == node->children.end()) return fail_path(path, ENOENT);
        node = child->second;
        rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
    }
    return node;
}

Result<std::shared_ptr<Node>> Tree::find_file(std::string_view path) const {
    BERTH_CHECK(check_path(path));
    BERTH_TRY(auto node, find(path));
    if (node->is_directory) return fail_path(path, EISDIR);
    return node;
}

Result<std::shared_ptr<Node>> Tree::find_folder(std::string_view path) const {
    BERTH_TRY(auto node, find(path));
    if (!node->is_directory) return fail_path(path, ENOTDIR);
    return node;
}

Result<std::vector<std::string>> Tree::missing_folders(std::string_view path) const {
    BERTH_CHECK(check_path(path));
    std::vector<std::string> missing;
    for (std::string_view folder = path; !folder.empty(); folder = folder_of(folder)) {
        const auto found = find_folder(folder);
        if (found) break;
        if (found.error().os_errno != ENOENT) return std::unexpected(found.error());
        missing.emplace(missing.begin(), folder);
    }
    return missing;
}

Result<std::shared_ptr<Node>> Tree::add(std::string_view path, UniqueFd content) {
    BERTH_CHECK(check_path(path));
    BERTH_TRY(const auto parent, find_folder(folder_of(path)));
    if (parent->children.contains(last_component(path))) return fail_path(path, EEXIST);
    auto node = std::make_shared<Node>();
    node->id = ++ids_;
    node->is_directory = !content;
    node->content = std::move(content);
    parent->children.emplace(last_component(path), node);
    return node;
}

Result<std::shared_ptr<Node>> Tree::add_file(std::string_view path) {
    UniqueFd content(::memfd_create("berth", MFD_CLOEXEC));
    if (!content) return fail_errno("memfd_create", errno);
    return add(path, std::move(content));
}

Result<std::shared_ptr<Node>> Tree::add_folder(std::string_view path) {
    return add(path, {});
}

Result<void> Tree::rename(std::string_view from, std::string_view to) {
    BERTH_CHECK(check_path(from));
    BERTH_CHECK(check_path(to));
    BERTH_TRY(const auto node, find(from));
    BERTH_TRY(const auto target, find_folder(folder_of(to)));
    if (node->is_directory && lies_below(to, from)) return fail_path(to, EINVAL);
    if (const auto found = target->children.find(last_component(to));
        found != target->children.end()) {
        const Node& replaced = *found->second;
        if (&replaced == node.get()) return {};
        if (replaced.is_directory && !node->is_directory) return fail_path(to, EISDIR);
        if (!replaced.is_directory && node->is_directory) return fail_path(to, ENOTDIR);
        if (!replaced.children.empty()) return fail_path(to, ENOTEMPTY);
    }
    target->children.insert_or_assign(std::string(last_component(to)), node);
    BERTH_TRY(const auto source, find_folder(folder_of(from)));
    source->children.erase(source->children.find(last_component(from)));
    return {};
}

Result<void> Tree::remove(std::string_view path) {
    BERTH_CHECK(check_path(path));
    BERTH_TRY(const auto node, find(path));
    if (!node->children.empty()) return fail_path(path, ENOTEMPTY);
    BERTH_TRY(const auto parent, find_folder(folder_of(path)));
    parent->children.erase(parent->children.find(last_component(path)));
    return {};
}

Result<std::vector<Entry>> Tree::list(std::string_view path) const {
    BERTH_TRY(const auto folder, find_folder(path));
    std::vector<Entry> entries;
    for (const auto& [name, node] : folder->children)
        entries.push_back({name, node->is_directory, false});
    return entries;
}

Result<std::unique_ptr<File>> open_node(const Node& node) {
    UniqueFd fd(::fcntl(node.content.get(), F_DUPFD_CLOEXEC, 0));
    if (!fd) return fail_errno("duplicate a descriptor", errno);
    return std::make_unique<FdFile>(std::move(fd));
}

}  // namespace berth::io

// Tree: a directory tree in memory, whose files are memfds. What MemoryDirectory and CrashDirectory
// share.
//
// Not thread-safe. Nodes have numbers, so that a journal can speak of a node after its name is
// gone. Errors are those of the system calls (ENOENT, ENOTDIR, EEXIST, …).
#pragma once

#include <map>
#include <memory>
#include <string>

#include "io/directory.h"

namespace berth::io {

struct Node {
    std::uint64_t id = 0;
    bool is_directory = false;
    UniqueFd content;  // of a file
    std::map<std::string, std::shared_ptr<Node>, std::less<>> children;
};

class Tree {
  public:
    Tree();

    const std::shared_ptr<Node>& root() const { return root_; }
    Result<std::shared_ptr<Node>> find(std::string_view path) const;
    Result<std::shared_ptr<Node>> find_file(std::string_view path) const;
    Result<std::shared_ptr<Node>> find_folder(std::string_view path) const;
    // The folders of `path`, itself included, that are to be added; outermost first.
    Result<std::vector<std::string>> missing_folders(std::string_view path) const;

    Result<std::shared_ptr<Node>> add_file(std::string_view path);
    // One directory; its parent must exist.
    Result<std::shared_ptr<Node>> add_folder(std::string_view path);
    Result<void> rename(std::string_view from, std::string_view to);
    Result<void> remove(std::string_view path);
    Result<std::vector<Entry>> list(std::string_view path) const;

  private:
    Result<std::shared_ptr<Node>> add(std::string_view path, UniqueFd content);

    std::shared_ptr<Node> root_;
    std::uint64_t ids_ = 0;
};

// A File on the node's bytes with a descriptor of its own.
Result<std::unique_ptr<File>> open_node(const Node& node);

}  // namespace berth::io

#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <optional>

namespace sealite {

/// Whether a user other than root and the one that this process runs as may write to a file or folder: who
/// owns it may always. A group that has the user's name and nobody else in it (useradd's usual one) is the
/// user's.
bool others_may_write(const struct stat& info);

/// Whether somebody has an open file open for writing now, or mapped for it. Nothing if that cannot be told:
/// the file is another user's, or its file system does not know (network file systems).
std::optional<bool> is_open_for_writing(int fd);

/// Whether others could choose what `base / relative` holds: they may write to it, or to one of the folders
/// that it lies in, from `base` on. What the owner of this program's own file may do is no matter: that is
/// its code already. True for what is not there.
bool others_may_choose(const std::filesystem::path& base, const std::filesystem::path& relative);

}  // namespace sealite

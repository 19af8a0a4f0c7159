// The file handling of the journal: how the chain continues in a file, changes to another file, and checkpoints.
#include <ops/audit/journal.hpp>
#include <ops/evidence/audit_past.hpp>
#include <ops/evidence/audit_rotation.hpp>

#include <algorithm>

namespace exeat::ops {

namespace {

void count(std::atomic<std::uint64_t>& cell) noexcept { cell.fetch_add(1, std::memory_order_relaxed); }

std::string_view advice_for(const std::error_code& failed) noexcept
{
    if (failed == std::errc::no_such_file_or_directory) return "; make its directory, or name another 'path' in [audit]";
    // The sandbox knows the directory that was there at the start (landlock(7)).
    if (failed == std::errc::permission_denied) return "; let exeat's user write there; if its directory was made anew, restart exeat";
    return {};
}

} // namespace

bool journal::begin()
{
    if (file_.is_open()) return true;
    if (const auto error = file_.open()) {
        const bool taken = error == std::errc::text_file_busy;
        failed(error, taken ? "another process writes the audit log; give each its own" : "cannot open the audit log " + file_.path(),
               advice_for(error));
        return false;
    }
    if (!begun_) go_on();
    begun_ = true;
    file_octets_ = file_.size();
    return true;
}

// Continues the chain from the existing file. Missing anchored lines are reported in a line, which readers of the log cannot overlook.
void journal::go_on()
{
    const auto anchor = points_ ? points_->found() : std::nullopt;
    const auto past = look_back(file_.path(), file_.is_regular(), file_.tail(), anchor);
    sha256_hex anchored{};
    if (past.after) std::copy_n(past.after->sha256.begin(), anchored.size(), anchored.begin());
    if (past.after) chain_.resume_after(anchored, past.next);
    else chain_.resume(past.line, past.next);
    line_.after_torn(past.fragment, past.next);
    process_event e;
    e.action = past.after ? process_event::what::resumed : process_event::what::gap;
    e.ok = past.after.has_value();
    e.anchored = anchor ? anchor->sequence : 0;
    e.text = past.after ? "the file with the line of the last checkpoint is not here; this one goes on after that line" : past.gap;
    if (points_ && !points_->unreadable().empty()) e.text = "the anchor in state cannot be read: " + points_->unreadable();
    if (e.text.empty()) return;
    add(e);
    if (!e.ok) points_->gap(e.text);
    else points_->resumed(e.text);
}

// Adds a checkpoint if anything was logged since the last one.
void journal::checkpoint(checkpoint_reason why)
{
    if (!points_ || !begun_ || !points_->anything()) return;
    try {
        add(points_->event(why));
        points_->added(chain_.sequence() - 1, chain_.previous(), clock::now());
    } catch (const std::bad_alloc&) { // the next turn tries again
        count(errors_);
    }
}

bool journal::is_at_rest() const noexcept
{
    const bool anchored = !points_ || (!points_->anything() && !points_->waits());
    return begun_ && pending_.empty() && withheld_since_ == 0 && anchored;
}

// Tests the disk periodically, so that a dead disk is found before the next event, which would be let out and never logged. A failed disk
// is tested again at each retry. A full one is found at once: open tunnels would send on until the next test.
std::error_code journal::probe()
{
    if (file_.is_out_of_space()) return std::make_error_code(std::errc::no_space_on_device);
    const auto now = clock::now();
    if (now < probe_at_) return {};
    const auto error = file_.probe();
    if (!error) probe_at_ = now + limits::audit_probe;
    return error;
}

// True when the next events and the file's last line may not fit into it. A file that cannot be written is not rotated.
bool journal::file_is_full() const noexcept
{
    if (rotation_.max_size == 0 || file_octets_ + pending_.size() + limits::audit_rotation_room <= rotation_.max_size) return false;
    return healthy_ && file_.is_open() && clock::now() >= rotate_at_;
}

// Ends the full file with a checkpoint, renames it after the number of that line, and begins a new file. True when the new file is open.
bool journal::next_file()
{
    checkpoint(checkpoint_reason::rotation);
    flush();
    if (!pending_.empty() || !file_.is_open()) return false;
    rotate_at_ = clock::now() + limits::audit_retry;
    if (file_octets_ == 0 || file_.vanished()) return false; // a file that replaced ours keeps its name
    if (rotate_audit_file(file_.path(), chain_.sequence() - 1, rotation_.keep)) {
        count(errors_);
        return false;
    }
    rotate_at_ = {};
    file_octets_ = 0;
    file_.close();
    return begin();
}

// A file that was moved or deleted is closed as if reopen() had been called, because nobody would see its lines.
void journal::look_after_file()
{
    const bool asked = reopen_.exchange(false);
    const auto now = clock::now();
    const bool looked = now >= look_at_ && file_.is_open() && file_.vanished();
    if (now >= look_at_) look_at_ = now + limits::audit_retry;
    if (asked || looked) leave_file();
}

// Writes what the old file still accepts. A line that is there only in part is removed and written to the next file.
void journal::leave_file()
{
    checkpoint(checkpoint_reason::rotation);
    flush(true);
    if (file_.is_open()) file_.take_back(begun_octets_);
    begun_octets_ = 0;
    file_.close();
    flush(true);
}

} // namespace exeat::ops

#include <ops/service.hpp>

#include <net/loop/kept_memory.hpp>
#include <net/wall_clock.hpp>
#include <net/worker.hpp>
#include <ops/admin/admin.hpp>
#include <ops/audit/audit_watch.hpp>
#include <ops/audit/checkpoint_key.hpp>
#include <ops/audit/journal.hpp>
#include <ops/detection/detector_actions.hpp>
#include <ops/detection/detector_memory.hpp>
#include <ops/drain.hpp>
#include <ops/entry_ends.hpp>
#include <ops/identity/pod_watch.hpp>
#include <ops/metrics/history.hpp>
#include <ops/metrics/metrics.hpp>
#include <ops/metrics/quarantine_watch.hpp>
#include <ops/policy_event.hpp>
#include <ops/process/block_signals.hpp>
#include <ops/process/clock_watch.hpp>
#include <ops/process/descriptors.hpp>
#include <ops/process/dns_servers.hpp>
#include <ops/process/memory_trim.hpp>
#include <ops/process/notify.hpp>
#include <ops/process/own_addresses.hpp>
#include <ops/process/prompt_thread.hpp>
#include <ops/process/sandbox.hpp>
#include <ops/process/version.hpp>
#include <ops/process/watchdog.hpp>
#include <ops/reload.hpp>
#include <ops/reload_log.hpp>
#include <ops/start_needs.hpp>
#include <ops/state/init_mark.hpp>
#include <ops/state/kept_accounts.hpp>
#include <ops/succession.hpp>

#include <boost/asio/bind_allocator.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <thread>

namespace exeat::ops {

namespace {

using workers = detector_actions::workers;

class service {
public:
    service(const config& c, const settings_file& settings, label_registry& labels, policy_gate& gate, loaded_allowlist first, open_sockets,
            std::optional<private_key> checkpoint_key, const notifier&, const event_log& log);
    void run();

private:
    void make_workers(const std::shared_ptr<const policy>& first, open_sockets&);
    void start_threads();
    void on_signals();
    void handle(int signal);
    void note(process_event::what);
    void begin_draining();
    void cut(ending);
    std::vector<std::uint64_t> rounds() const;
    void post_to_workers(const auto& what)
    {
        for (const auto& w : workers_) what(*w);
    }

    const config& config_;
    const watched_file settings_; // exeat.toml, as it was when it was read
    const policy_gate& gate_;
    const notifier& manager_;
    const event_log& log_;
    const bool admin_shared_;
    boost::asio::io_context io_{1};
    policy_status status_;
    const descriptor_plan descriptors_;
    net::admission admitted_;
    net::client_rates rates_;
    const state_directory state_{begin_state(config_, log_)};
    kept_accounts accounts_{state_, log_, config_.network.client_prefix};
    pod_watch pods_{config_.kubernetes, log_};
    std::vector<std::unique_ptr<net::audit_ring>> rings_;
    detection detection_;
    detector_memory detector_memory_{state_, detection_, log_};
    quarantine_watch quarantine_{io_, config_.state, config_.network.client_prefix, log_};
    detector_actions detector_actions_{io_, config_.detect, workers_};
    succession succession_{accounts_, detection_, detector_actions_, quarantine_};
    std::unique_ptr<journal> journal_;
    workers workers_;
    dns_servers dns_{io_, config_, log_, [this](const auto& servers) { post_to_workers([&](auto& w) { w.ask_servers(servers); }); }};
    clock_watch clock_{io_, log_, [this] { reload_->now("the clock is well again"); }}; // a wrong clock may have expired entries
    std::unique_ptr<metrics> metrics_;
    std::unique_ptr<history> history_;
    std::unique_ptr<history_timer> sampling_;
    std::unique_ptr<admin> admin_;
    std::unique_ptr<reload> reload_;
    std::unique_ptr<entry_ends> ends_;
    std::unique_ptr<address_watch> addresses_;
    std::unique_ptr<audit_watch> audit_watch_;
    memory_trim trim_{io_, [this] { return admitted_.connections(); }};
    net::shared_kept_memory signal_memory_; // reserved memory: restarting the wait cannot fail
    watchdog watchdog_{io_, manager_, log_, [this] { return rounds(); }};
    boost::asio::signal_set signals_{io_};
    drain drain_{io_, manager_, log_, [this] { return admitted_.connections(); }, [this] { cut(ending::drained); }};
    std::vector<std::thread> threads_;
    bool draining_ = false, cutting_ = false;
};

service::service(const config& c, const settings_file& settings, label_registry& labels, policy_gate& gate, loaded_allowlist first,
                 open_sockets sockets, std::optional<private_key> checkpoint_key, const notifier& manager, const event_log& log)
    : config_{c}, settings_{settings.file}, gate_{gate}, manager_{manager}, log_{log}, admin_shared_{sockets.admin_inherited},
      descriptors_{plan_descriptors(c, log)}, admitted_{descriptors_.connections, c.connections_per_source}, rates_{c.rates}, detection_{
                                                                                                                                  c.detect}
{
    status_.took_effect(first.rules, net::wall_now());
    succession_.begin(*first.rules, status_.now().generation);
    admin_ = std::make_unique<admin>(io_, std::move(sockets.admin));
    std::vector<net::audit_ring*> rings;
    for (std::size_t i = 0; i < c.workers; ++i) rings.push_back(rings_.emplace_back(std::make_unique<net::audit_ring>()).get());
    journal_ = std::make_unique<journal>(c.audit_path, rings, labels, status_, &detection_, c.network.client_prefix, c.rotation,
                                         std::make_unique<audit_checkpoints>(c.audit_path, state_, std::move(checkpoint_key), log),
                                         &pods_.names());
    // A full volume recovers when there is room again, and nothing is let out until then. Any other error is a configuration error.
    if (journal_->waits_for_room()) log.say(severity::error, "audit log", {{"why", journal_->last_error()}});
    else if (!journal_->healthy()) throw std::runtime_error{"audit log: " + journal_->last_error()};
    make_workers(first.rules, sockets);
    detector_actions_.listen_to(detection_);
    std::vector<const net::counters*> counts;
    std::vector<const net::client_table*> clients;
    for (const auto& w : workers_) counts.push_back(&w->counts()), clients.push_back(&w->clients());
    metrics_ = std::make_unique<metrics>(metric_sources{c, counts, clients, labels, status_, *journal_, detection_, accounts_.uploads,
                                                        clock_.steps(), dns_.named(), quarantine_, pods_, settings.sha256,
                                                        std::string{version}, std::string{revision}});
    history_ = std::make_unique<history>(*metrics_);
    sampling_ = std::make_unique<history_timer>(io_, *history_);
    admin_->serve(*metrics_, *history_, [this](const net::tunnel_question& q, const std::function<void(net::tunnel_list)>& done) {
        for (const auto& w : workers_) net::list_tunnels(*w, q, done);
        return workers_.size();
    });
    const auto hand_out = [this](auto rules, auto generation) { post_to_workers([&](auto& w) { w.adopt(rules, generation); }); };
    reload_ = std::make_unique<reload>(io_, gate, reload::surroundings{settings_, labels, status_, *journal_, manager, log, succession_},
                                       first, hand_out);
    ends_ = std::make_unique<entry_ends>(
        io_, status_, succession_, [this] { return reload_->busy(); }, hand_out);
    audit_watch_ = std::make_unique<audit_watch>(io_, *journal_, c.on_audit_failure, log_);
    addresses_ = std::make_unique<address_watch>(io_, [this] {
        const auto own = endpoints_of(config_, admin_->port());
        post_to_workers([&](auto& w) { w.adopt(own); });
    });
}

void service::make_workers(const std::shared_ptr<const policy>& first, open_sockets& sockets)
{
    const auto own = endpoints_of(config_, admin_->port());
    const net::worker_shared shared{config_,
                                    admitted_,
                                    rates_,
                                    accounts_.names.names(),
                                    accounts_.uploads.book(),
                                    detector_actions_.new_hosts(),
                                    detector_actions_.first_contact_by(detection_),
                                    journal_->healthy(),
                                    first,
                                    status_.now().generation,
                                    own,
                                    descriptors_.spare_per_worker,
                                    sockets.inherited,
                                    dns_.now(),
                                    quarantine_.now(),
                                    pods_.first()};
    for (std::size_t i = 0; i < config_.workers; ++i)
        workers_.push_back(std::make_unique<net::worker>(i, shared, std::move(sockets.of_worker[i]), *rings_[i]));
}

std::vector<std::uint64_t> service::rounds() const
{
    std::vector<std::uint64_t> out;
    for (const auto& w : workers_) out.push_back(w->rounds());
    return out;
}

void service::run()
{
    for (const int s : {SIGHUP, SIGUSR1, SIGTERM, SIGINT}) signals_.add(s);
    hear_early_signals(); // signals that arrived while the files were read are handled first
    on_signals();
    for (const auto& w : workers_) w->begin();
    accounts_.begin();
    detector_memory_.begin();
    note(process_event::what::start);
    quarantine_.begin([this](const auto& all) { post_to_workers([&](auto& w) { w.adopt(all); }); }, [this](auto e) { journal_->note(e); });
    pods_.begin([this](const auto& now) { post_to_workers([&](auto& w) { w.adopt(now); }); });
    start_threads();
    status_.start();
    manager_.ready(serving_status(status_.now()));
    watchdog_.begin();
    log_serving(log_, *status_.now().rules);
    while (!io_.stopped()) {
        try {
            admin_->keep_accepting();
            io_.run();
        } catch (const std::exception&) {} // no memory or no descriptor: serve the next signal, poll or scrape
    }
    pods_.stop();
    for (auto& t : threads_) t.join();
    accounts_.stop();
    note(process_event::what::stop);
    journal_->stop();
    detector_memory_.stop();
}

// Names the threads, so that top(1) and a core file distinguish them.
void service::start_threads()
{
    for (std::size_t i = 0; i < workers_.size(); ++i)
        threads_.emplace_back([w = workers_[i].get(), name = fmt::format("worker {}", i)] {
            ::prctl(PR_SET_NAME, name.c_str());
            take_short_turns();
            w->run();
        });
}

void service::note(process_event::what action)
{
    auto e = policy_event(action, status_.now().rules->settings(), gate_);
    if (action == process_event::what::start) e.text = budgets_at_start(state_, accounts_.uploads);
    journal_->note(std::move(e));
}

void service::on_signals()
{
    auto heard = [this](boost::system::error_code failed, int signal) {
        if (failed) return;
        on_signals();
        handle(signal);
    };
    signals_.async_wait(boost::asio::bind_allocator(signal_memory_.memory(), heard));
}

void service::handle(int signal)
{
    if (signal == SIGHUP) return reload_->at_once("SIGHUP"), dns_.read_again("SIGHUP");
    if (signal == SIGUSR1) return journal_->reopen();
    if (draining_) return cut(ending::stopped);
    begin_draining();
}

void service::begin_draining()
{
    draining_ = true;
    status_.drain();
    manager_.stopping(config_.drain_timeout + limits::audit_stop_time + limits::linger_time);
    if (admin_shared_) admin_->close(); // requests there are meant for the process that serves
    post_to_workers([](auto& w) { w.drain(); });
    drain_.begin(config_.drain_timeout);
}

void service::cut(ending why)
{
    if (cutting_) return;
    cutting_ = true;
    watchdog_.stop();
    drain_.stop();
    reload_->stop();
    dns_.stop();
    post_to_workers([why](auto& w) { w.cut_all(why); });
    io_.stop();
}

} // namespace

int run_service(const config& c, const settings_file& settings, label_registry& labels, policy_gate& gate, loaded_allowlist first,
                const event_log& log)
{
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN); // a limit of file sizes is an error of the write that meets it
    try {
        const notifier manager;
        sandbox box{c, log};
        auto sockets = open_after_files(c);
        auto key = read_checkpoint_key(c.checkpoint_key); // before file access is restricted
        if (!key) throw std::runtime_error{key.error()};
        box.restrict_files(paths_of(c, first.files));
        service s{c, settings, labels, gate, std::move(first), std::move(sockets), std::move(*key), manager, log};
        box.restrict_system_calls();
        box.tell();
        s.run();
        return 0;
    } catch (const std::exception& e) {
        log.say(severity::error, "cannot start", {{"why", e.what()}});
        return 1;
    }
}

} // namespace exeat::ops

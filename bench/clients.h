// SPDX-License-Identifier: BSD-3-Clause
#pragma once
//
// Far stations that open connections to the shard's server: three-way handshakes, a ring at a time,
// and resets. What they get is checked as they go: a shard that does not answer fails the
// benchmark.
#include "rig.h"

namespace bench
{

constexpr uint32_t kClientIss = 1000;
constexpr uint32_t kSetupBurst = 64;

inline void listen(const Rig &rig, const tern_app &app)
{
    if (tern_listen(rig.shard(), nullptr, kServerPort, &app, nullptr) < 0)
        throw Failure("the shard does not listen");
}

inline Segment syn(const Rig &rig, const Flow &flow)
{
    return {flow, kClientIss, 0, TERN_TCP_SYN, rig.now_ms(), 0, 0, nullptr};
}

// What a station sends next that has received `s`, and everything before it.
inline Segment answer(const Rig &rig, const Segment &s, uint32_t seq, uint8_t flags)
{
    const uint32_t n_flags = ((s.flags & TERN_TCP_SYN) != 0) + ((s.flags & TERN_TCP_FIN) != 0);
    return {s.flow, seq, s.seq + n_flags + s.n_payload, flags, rig.now_ms(), s.ts_val, 0, nullptr};
}

// Fails unless `s` is of that shape.
inline void expect_segment(const char *what, const Segment &s, uint8_t flags, uint32_t n_payload)
{
    if (s.flags != flags || s.n_payload != n_payload)
        throw Failure(std::string(what) + ": has flags " + std::to_string(s.flags) + " and "
                      + std::to_string(s.n_payload) + " bytes");
}

// Put the SYNs of `n` clients, at most kRing. @param id(i)  client of the i-th
template <typename Id> void put_syns(Rig &rig, uint32_t n, Id id)
{
    for (uint32_t i = 0; i < n; i++)
        rig.put(syn(rig, client(id(i))));
}

// The shard's i-th frame, which must be a SYN-ACK.
inline Segment syn_ack(const Rig &rig, uint32_t i)
{
    const Segment s = rig.sent(i);
    expect_segment("the answer to a SYN", s, TERN_TCP_SYN | TERN_TCP_ACK, 0);
    expect_equal("what a SYN-ACK acknowledges", s.ack, kClientIss + 1);
    return s;
}

/**
 * Open `n` connections, at most kRing.
 * @param id(i)          client of the i-th
 * @param seen(s)        each SYN-ACK
 */
template <typename Id, typename Seen>
void open_ring(Rig &rig, uint32_t n, uint32_t burst, Id id, Seen seen)
{
    put_syns(rig, n, id);
    rig.poll(burst);
    expect_equal("SYN-ACKs", rig.n_sent(), n);
    for (uint32_t i = 0; i < n; i++) {
        const Segment s = syn_ack(rig, i);
        seen(s);
        rig.put(answer(rig, s, kClientIss + 1, TERN_TCP_ACK));
    }
    rig.drop_sent();
    rig.poll(burst);
    expect_equal("answers to the last ACK of a handshake", rig.n_sent(), 0);
}

// The same for any number; id counts from 0 to n - 1.
template <typename Id, typename Seen>
void open_all(Rig &rig, uint32_t n, uint32_t burst, Id id, Seen seen)
{
    for (uint32_t first = 0; first < n; first += kRing)
        open_ring(
            rig, std::min(kRing, n - first), burst, [&](uint32_t i) { return id(first + i); },
            seen);
    expect_equal("half-open connections left", rig.n_half_open(), 0);
}

inline void ignore(const Segment &)
{
}

// Clients who have sent nothing yet reset their connections.
template <typename Id> void reset_all(Rig &rig, uint32_t n, Id id)
{
    for (uint32_t first = 0; first < n; first += kRing) {
        for (uint32_t i = first; i < std::min(first + kRing, n); i++)
            rig.put({client(id(i)), kClientIss + 1, 0, TERN_TCP_RST, 0, 0, 0, nullptr});
        rig.poll(kSetupBurst);
    }
    expect_equal("answers to a reset", rig.n_sent(), 0);
}

} // namespace bench

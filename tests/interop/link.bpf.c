/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a link can do to frames, for kernels that were built without netem or 802.1Q: loaded with
 * `tc filter … bpf direct-action`. The helpers' numbers are those of linux/bpf.h, which is not
 * included so that no header is needed.
 */
#define SEC(name) __attribute__((section(name), used))

static unsigned (*const get_prandom_u32)(void) = (void *)7;
static long (*const skb_vlan_push)(void *, unsigned short, unsigned short) = (void *)18;
static long (*const skb_vlan_pop)(void *) = (void *)19;

enum { GO_ON = -1, DROP = 2 };
enum { ETH_P_8021Q_BE = 0x0081, VLAN = 100, LOSS_PERCENT = 2 };

SEC("tc/lossy") int lossy(void *skb)
{
    (void)skb;
    return get_prandom_u32() % 100 < LOSS_PERCENT ? DROP : GO_ON;
}

SEC("tc/tag") int tag(void *skb)
{
    skb_vlan_push(skb, ETH_P_8021Q_BE, VLAN);
    return GO_ON;
}

SEC("tc/untag") int untag(void *skb)
{
    skb_vlan_pop(skb);
    return GO_ON;
}

SEC("license") char license_text[] = "GPL";

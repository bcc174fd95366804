/* SPDX-License-Identifier: BSD-3-Clause */
/* Device strings: what each form becomes, and what is refused (lib/engine/device_spec.c). */
#include "engine/device_spec.h"
#include "unit.h"

#include <errno.h>
#include <string.h>

static void forms_become_dpdk_device_strings(void **state)
{
    (void)state;
    static const struct {
        const char *typed;
        enum tern_device_kind kind;
        const char *devargs;
    } cases[] = {
        {"pair", TERN_DEVICE_PAIR, ""},
        {"0000:3b:00.0", TERN_DEVICE_PCI, "0000:3b:00.0"},
        {"3B:00.1", TERN_DEVICE_PCI, "0000:3b:00.1"},
        {"eth1", TERN_DEVICE_NETDEV, "net_af_xdp_tern,iface=eth1,queue_count=2"},
        {"tap:tern0", TERN_DEVICE_TAP, "net_tap_tern,iface=tern0"},
        {"memif:/run/x.sock", TERN_DEVICE_MEMIF,
            "net_memif_tern,role=client,socket=/run/x.sock,socket-abstract=no"},
        {"memif:/run/x.sock,server", TERN_DEVICE_MEMIF,
            "net_memif_tern,role=server,socket=/run/x.sock,socket-abstract=no"},
        {"memif:/run/x.sock,client,ring=64", TERN_DEVICE_MEMIF,
            "net_memif_tern,role=client,socket=/run/x.sock,socket-abstract=no,rsize=6"},
        {"memif:/run/x.sock,ring=16384,server", TERN_DEVICE_MEMIF,
            "net_memif_tern,role=server,socket=/run/x.sock,socket-abstract=no,rsize=14"},
        {"pcap:in.pcap,out.pcap", TERN_DEVICE_PCAP,
            "net_pcap_tern,rx_pcap=in.pcap,tx_pcap=out.pcap"},
        {"pcap:in.pcap", TERN_DEVICE_PCAP, "net_pcap_tern,rx_pcap=in.pcap"},
        {"pcap:,out.pcap", TERN_DEVICE_PCAP, "net_pcap_tern,tx_pcap=out.pcap"},
        {"vdev:net_null0,size=64", TERN_DEVICE_VDEV, "net_null0,size=64"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tern_device_spec spec;
        struct tern_error err;
        char devargs[TERN_DEVARGS_BYTES];
        assert_int_equal(tern_device_spec_parse(cases[i].typed, &spec, &err), 0);
        assert_int_equal(spec.kind, cases[i].kind);
        tern_device_spec_devargs(&spec, 0, 2, 1500, devargs);
        assert_string_equal(devargs, cases[i].devargs);
    }
}

static void kernel_interface_has_a_second_way(void **state)
{
    (void)state;
    struct tern_device_spec spec;
    char devargs[TERN_DEVARGS_BYTES];
    assert_int_equal(tern_device_spec_parse("enp3s0f1.100", &spec, NULL), 0);
    assert_int_equal(tern_device_spec_n_ways(&spec), 2);
    tern_device_spec_devargs(&spec, 1, 3, 1500, devargs);
    assert_string_equal(devargs,
        "net_af_packet_tern,iface=enp3s0f1.100,qpairs=3,blocksz=4096,framesz=2048,framecnt=1024");
    tern_device_spec_devargs(&spec, 1, 1, 9000, devargs);
    assert_non_null(strstr(devargs, "framesz=16384"));

    assert_int_equal(tern_device_spec_parse("tap:t", &spec, NULL), 0);
    assert_int_equal(tern_device_spec_n_ways(&spec), 1);
}

static void nonsense_is_refused_in_one_line(void **state)
{
    (void)state;
    static const char *const cases[] = {"", "foo:bar", "a b", "eth0/1", "..", "sixteen_letters0",
        "0000:3b:20.0", "0000:3b:00.8", "0000:3b:00", "tap:", "tap:a/b", "tap:sixteen_letters0",
        "memif:", "memif:,server", "memif:/run/x,boss", "memif:/a=b", "memif:/run/x,",
        "memif:/run/x,server,", "memif:/run/x,ring=32", "memif:/run/x,ring=100",
        "memif:/run/x,ring=32768", "memif:/run/x,ring=", "memif:/run/x,ring=64 ", "pcap:", "pcap:,",
        "pcap:a,b,c", "pcap:a[0],b", "vdev:", "vdev:,x=1"};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct tern_device_spec spec;
        struct tern_error err = {.text = ""};
        assert_int_equal(tern_device_spec_parse(cases[i], &spec, &err), -EINVAL);
        assert_true(strlen(err.text) > 20);
        assert_null(strchr(err.text, '\n'));
    }
    struct tern_device_spec spec;
    assert_int_equal(tern_device_spec_parse(NULL, &spec, NULL), -EINVAL);
}

static void long_texts_are_refused_not_cut(void **state)
{
    (void)state;
    struct tern_device_spec spec;
    char text[600];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    assert_int_equal(tern_device_spec_parse(text, &spec, NULL), -EINVAL);
    memcpy(text, "memif:", 6);
    assert_int_equal(tern_device_spec_parse(text, &spec, NULL), -EINVAL);
    memcpy(text, "pcap:y", 6);
    assert_int_equal(tern_device_spec_parse(text, &spec, NULL), -EINVAL);
    memcpy(text, "vdev:y", 6);
    assert_int_equal(tern_device_spec_parse(text, &spec, NULL), -EINVAL);
}

static void devargs_name_ends_at_the_comma(void **state)
{
    (void)state;
    char name[TERN_DEVARGS_BYTES];
    tern_devargs_name("net_null0,size=64", name);
    assert_string_equal(name, "net_null0");
    tern_devargs_name("net_null0", name);
    assert_string_equal(name, "net_null0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_become_dpdk_device_strings),
        cmocka_unit_test(kernel_interface_has_a_second_way),
        cmocka_unit_test(nonsense_is_refused_in_one_line),
        cmocka_unit_test(long_texts_are_refused_not_cut),
        cmocka_unit_test(devargs_name_ends_at_the_comma),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

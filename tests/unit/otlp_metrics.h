/* OTLP metrics in both encodings, and what is to be read of them: for ingest_otlp.c. Bytes and JSON
 * were made by protobuf's own encoders (Python's, with opentelemetry-proto; in the JSON, ids are
 * hexadecimal as OTLP has them). */
#ifndef TIDEMARK_TESTS_OTLP_METRICS_H
#define TIDEMARK_TESTS_OTLP_METRICS_H

static const struct otlp_case otlp_metrics[] = {
    { "a gauge",
      "0a5e0a130a110a09686f73742e6e616d6512040a027069123c0a0a0a056d65746572120131122e0a07706f7765725f771201641a01"
      "572a1d0a1b1100d2a7fd0cbfe9181900b6b3510fbfe91821000000000000f83f1a0968747470733a2f2f78",
      "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"key\":\"host.name\",\"value\":{\"stringValue\":\"p"
      "i\"}}]},\"scopeMetrics\":[{\"scope\":{\"name\":\"meter\",\"version\":\"1\"},\"metrics\":[{\"name\":\"power"
      "_w\",\"description\":\"d\",\"unit\":\"W\",\"gauge\":{\"dataPoints\":[{\"startTimeUnixNano\":\"179517598900"
      "0000000\",\"timeUnixNano\":\"1795175999000000000\",\"asDouble\":1.5}]}}]}],\"schemaUrl\":\"https://x\"}]}",
      "pi @2026-11-20T11:59:59Z power_w=1.5" },
    { "whole numbers, negative ones too",
      "0a82010a130a110a09686f73742e6e616d6512040a02706912600a0a0a056d6574657212013112280a01611201641a01572a1d0a1b"
      "1100d2a7fd0cbfe9181900b6b3510fbfe91831f9ffffffffffffff12280a01621201641a01572a1d0a1b1100d2a7fd0cbfe9181900"
      "b6b3510fbfe9183100000000000010001a0968747470733a2f2f78",
      "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"key\":\"host.name\",\"value\":{\"stringValue\":\"p"
      "i\"}}]},\"scopeMetrics\":[{\"scope\":{\"name\":\"meter\",\"version\":\"1\"},\"metrics\":[{\"name\":\"a\","
      "\"description\":\"d\",\"unit\":\"W\",\"gauge\":{\"dataPoints\":[{\"startTimeUnixNano\":\"17951759890000000"
      "00\",\"timeUnixNano\":\"1795175999000000000\",\"asInt\":\"-7\"}]}},{\"name\":\"b\",\"description\":\"d\","
      "\"unit\":\"W\",\"gauge\":{\"dataPoints\":[{\"startTimeUnixNano\":\"1795175989000000000\",\"timeUnixNano\":"
      "\"1795175999000000000\",\"asInt\":\"4503599627370496\"}]}}]}],\"schemaUrl\":\"https://x\"}]}",
      "pi @2026-11-20T11:59:59Z a=-7 | pi @2026-11-20T11:59:59Z b=4503599627370496" },
    { "attributes of a point are labels",
      "0ab0010a130a110a09686f73742e6e616d6512040a027069128d010a0a0a056d65746572120131127f0a07706f7765725f77120164"
      "1a01572a6e0a6c1100d2a7fd0cbfe9181900b6b3510fbfe91821000000000000f03f3a0d0a05706861736512040a024c313a070a01"
      "6e120218033a080a026f6e120210013a0e0a0178120921000000000000d03f3a100a016c120b2a090a030a01610a0218013a0b0a03"
      "72617712043a0201021a0968747470733a2f2f78",
      "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"key\":\"host.name\",\"value\":{\"stringValue\":\"p"
      "i\"}}]},\"scopeMetrics\":[{\"scope\":{\"name\":\"meter\",\"version\":\"1\"},\"metrics\":[{\"name\":\"power"
      "_w\",\"description\":\"d\",\"unit\":\"W\",\"gauge\":{\"dataPoints\":[{\"startTimeUnixNano\":\"179517598900"
      "0000000\",\"timeUnixNano\":\"1795175999000000000\",\"asDouble\":1.0,\"attributes\":[{\"key\":\"phase\",\"v"
      "alue\":{\"stringValue\":\"L1\"}},{\"key\":\"n\",\"value\":{\"intValue\":\"3\"}},{\"key\":\"on\",\"value\":"
      "{\"boolValue\":true}},{\"key\":\"x\",\"value\":{\"doubleValue\":0.25}},{\"key\":\"l\",\"value\":{\"arrayVa"
      "lue\":{\"values\":[{\"stringValue\":\"a\"},{\"intValue\":\"1\"}]}}},{\"key\":\"raw\",\"value\":{\"bytesVal"
      "ue\":\"AQI=\"}}]}]}}]}],\"schemaUrl\":\"https://x\"}]}",
      "pi @2026-11-20T11:59:59Z power_w{\"l\":\"[\\\"a\\\",1]\",\"n\":\"3\",\"on\":\"true\",\"phase\":\"L1\",\"ra"
      "w\":\"AQI=\",\"x\":\"0.25\"}=1" },
    { "device before host.name",
      "0a680a230a110a09686f73742e6e616d6512040a0270690a0e0a0664657669636512040a026d3112360a0a0a056d65746572120131"
      "12280a01611201641a01572a1d0a1b1100d2a7fd0cbfe9181900b6b3510fbfe9183101000000000000001a0968747470733a2f2f78",
      "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"key\":\"host.name\",\"value\":{\"stringValue\":\"p"
      "i\"}},{\"key\":\"device\",\"value\":{\"stringValue\":\"m1\"}}]},\"scopeMetrics\":[{\"scope\":{\"name\":\"m"
      "eter\",\"version\":\"1\"},\"metrics\":[{\"name\":\"a\",\"description\":\"d\",\"unit\":\"W\",\"gauge\":{\"d"
      "ataPoints\":[{\"startTimeUnixNano\":\"1795175989000000000\",\"timeUnixNano\":\"1795175999000000000\",\"asI"
      "nt\":\"1\"}]}}]}],\"schemaUrl\":\"https://x\"}]}",
      "m1 @2026-11-20T11:59:59Z a{\"host.name\":\"pi\"}=1" },
    { "a point's device before its resource's",
      "0a650a100a0e0a0664657669636512040a026d3112460a0a0a056d6574657212013112380a01611201641a01572a2d0a2b1100d2a7"
      "fd0cbfe9181900b6b3510fbfe9183101000000000000003a0e0a0664657669636512040a026d321a0968747470733a2f2f78",
      "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"key\":\"device\",\"value\":{\"stringValue\":\"m1\""
      "}}]},\"scopeMetrics\":[{\"scope\":{\"name\":\"meter\",\"version\":\"1\"},\"metrics\":[{\"name\":\"a\",\"de"
      "scription\":\"d\",\"unit\":\"W\",\"gauge\":{\"dataPoints\":[{\"startTimeUnixNano\":\"1795175989000000000\""
      ",\"timeUnixNano\":\"1795175999000000000\",\"asInt\":\"1\",\"attributes\":[{\"key\":\"device\",\"value\":{"
      "\"stringValue\":\"m2\"}}]}]}}]}],\"schemaUrl\":\"https://x\"}]}",
      "m2 @2026-11-20T11:59:59Z a=1" },
    { "then host",
      "0a670a220a0b0a04686f737412030a01680a130a0c736572766963652e6e616d6512030a017312360a0a0a056d6574657212013112"
      "280a01611201641a01572a1d0a1b1100d2a7fd0cbfe9181900b6b3510fbfe9183101000000000000001a0968747470733a2f2f78",
      "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"key\":\"host\",\"value\":{\"stringValue\":\"h\"}},"
      "{\"key\":\"service.name\",\"value\":{\"stringValue\":\"s\"}}]},\"scopeMetrics\":[{\"scope\":{\"name\":\"me"
      "ter\",\"version\":\"1\"},\"metrics\":[{\"name\":\"a\",\"description\":\"d\",\"unit\":\"W\",\"gauge\":{\"da"
      "taPoints\":[{\"startTimeUnixNano\":\"1795175989000000000\",\"timeUnixNano\":\"1795175999000000000\",\"asIn"
      "t\":\"1\"}]}}]}],\"schemaUrl\":\"https://x\"}]}",
      "h @2026-11-20T11:59:59Z a{\"service.name\":\"s\"}=1" },
    { "then service.instance.id",
      "0a780a330a130a0c736572766963652e6e616d6512030a01730a1c0a13736572766963652e696e7374616e63652e696412050a0369"
      "2d3112360a0a0a056d6574657212013112280a01611201641a01572a1d0a1b1100d2a7fd0cbfe9181900b6b3510fbfe91831010000"
      "00000000001a0968747470733a2f2f78",
      "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":"
      "\"s\"}},{\"key\":\"service.instance.id\",\"value\":{\"stringValue\":\"i-1\"}}]},\"scopeMetrics\":[{\"scope"
      "\":{\"name\":\"meter\",\"version\":\"1\"},\"metrics\":[{\"name\":\"a\",\"description\":\"d\",\"unit\":\"W"
      "\",\"gauge\":{\"dataPoints\":[{\"startTimeUnixNano\":\"1795175989000000000\",\"timeUnixNano\":\"1795175999"
      "000000000\",\"asInt\":\"1\"}]}}]}],\"schemaUrl\":\"https://x\"}]}",
      "i-1 @2026-11-20T11:59:59Z a{\"service.name\":\"s\"}=1" },
    { "then service.name",
      "0ab0010a6b0a130a0c736572766963652e6e616d6512030a01730a190a1274656c656d657472792e73646b2e6e616d6512030a0178"
      "0a110a0b70726f636573732e706964120218070a120a076f732e7479706512070a056c696e75780a120a09686f73742e6172636812"
      "050a0361726d12360a0a0a056d6574657212013112280a01611201641a01572a1d0a1b1100d2a7fd0cbfe9181900b6b3510fbfe918"
      "3101000000000000001a0968747470733a2f2f78",
      "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":"
      "\"s\"}},{\"key\":\"telemetry.sdk.name\",\"value\":{\"stringValue\":\"x\"}},{\"key\":\"process.pid\",\"valu"
      "e\":{\"intValue\":\"7\"}},{\"key\":\"os.type\",\"value\":{\"stringValue\":\"linux\"}},{\"key\":\"host.arch"
      "\",\"value\":{\"stringValue\":\"arm\"}}]},\"scopeMetrics\":[{\"scope\":{\"name\":\"meter\",\"version\":\"1"
      "\"},\"metrics\":[{\"name\":\"a\",\"description\":\"d\",\"unit\":\"W\",\"gauge\":{\"dataPoints\":[{\"startT"
      "imeUnixNano\":\"1795175989000000000\",\"timeUnixNano\":\"1795175999000000000\",\"asInt\":\"1\"}]}}]}],\"sc"
      "hemaUrl\":\"https://x\"}]}",
      "s @2026-11-20T11:59:59Z a=1" },
    { "no device",
      "0a450a0012360a0a0a056d6574657212013112280a01611201641a01572a1d0a1b1100d2a7fd0cbfe9181900b6b3510fbfe9183101"
      "000000000000001a0968747470733a2f2f78",
      "{\"resourceMetrics\":[{\"resource\":{},\"scopeMetrics\":[{\"scope\":{\"name\":\"meter\",\"version\":\"1\"}"
      ",\"metrics\":[{\"name\":\"a\",\"description\":\"d\",\"unit\":\"W\",\"gauge\":{\"dataPoints\":[{\"startTime"
      "UnixNano\":\"1795175989000000000\",\"timeUnixNano\":\"1795175999000000000\",\"asInt\":\"1\"}]}}]}],\"schem"
      "aUrl\":\"https://x\"}]}",
      "# 0: no device: neither the event names one nor does the token" },
    { "a cumulative sum",
      "0a690a130a110a09686f73742e6e616d6512040a02706912470a0a0a056d6574657212013112390a10656e657267795f6b77685f74"
      "6f74616c1a0257683a210a1b1100d2a7fd0cbfe9181900b6b3510fbfe918210000000000002940100218011a0968747470733a2f2f"
      "78",
      "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"key\":\"host.name\",\"value\":{\"stringValue\":\"p"
      "i\"}}]},\"scopeMetrics\":[{\"scope\":{\"name\":\"meter\",\"version\":\"1\"},\"metrics\":[{\"name\":\"energ"
      "y_kwh_total\",\"unit\":\"Wh\",\"sum\":{\"dataPoints\":[{\"startTimeUnixNano\":\"1795175989000000000\",\"ti"
      "meUnixNano\":\"1795175999000000000\",\"asDouble\":12.5}],\"aggregationTemporality\":2,\"isMonotonic\":true"
      "}}]}],\"schemaUrl\":\"https://x\"}]}",
      "pi @2026-11-20T11:59:59Z energy_kwh_total=12.5" },
    { "a delta sum has a series of its own",
      "0aca010a130a110a09686f73742e6e616d6512040a02706912a7010a0a0a056d6574657212013112330a0a656e657267795f6b7768"
      "1a0257683a210a1b1100d2a7fd0cbfe9181900b6b3510fbfe91821000000000000e03f1001180112310a0a656e657267795f6b7768"
      "1a0257683a1f0a1b1100d2a7fd0cbfe9181900b6b3510fbfe91821000000000000d03f100212310a0a656e657267795f6b77681201"
      "641a01572a1d0a1b1100d2a7fd0cbfe9181900b6b3510fbfe9183103000000000000001a0968747470733a2f2f78",
      "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"key\":\"host.name\",\"value\":{\"stringValue\":\"p"
      "i\"}}]},\"scopeMetrics\":[{\"scope\":{\"name\":\"meter\",\"version\":\"1\"},\"metrics\":[{\"name\":\"energ"
      "y_kwh\",\"unit\":\"Wh\",\"sum\":{\"dataPoints\":[{\"startTimeUnixNano\":\"1795175989000000000\",\"timeUnix"
      "Nano\":\"1795175999000000000\",\"asDouble\":0.5}],\"aggregationTemporality\":1,\"isMonotonic\":true}},{\"n"
      "ame\":\"energy_kwh\",\"unit\":\"Wh\",\"sum\":{\"dataPoints\":[{\"startTimeUnixNano\":\"1795175989000000000"
      "\",\"timeUnixNano\":\"1795175999000000000\",\"asDouble\":0.25}],\"aggregationTemporality\":2}},{\"name\":"
      "\"energy_kwh\",\"description\":\"d\",\"unit\":\"W\",\"gauge\":{\"dataPoints\":[{\"startTimeUnixNano\":\"17"
      "95175989000000000\",\"timeUnixNano\":\"1795175999000000000\",\"asInt\":\"3\"}]}}]}],\"schemaUrl\":\"https:"
      "//x\"}]}",
      "pi @2026-11-20T11:59:59Z energy_kwh{\"temporality\":\"delta\"}=0.5 | pi @2026-11-20T11:59:59Z energy_kwh=0"
      ".25 | pi @2026-11-20T11:59:59Z energy_kwh=3" },
    { "no recorded value is no sample",
      "0a770a130a110a09686f73742e6e616d6512040a02706912550a0a0a056d6574657212013112470a01611201641a01572a3c0a1d11"
      "00d2a7fd0cbfe9181900b6b3510fbfe91821000000000000000040010a1b1100d2a7fd0cbfe9181900b6b3510fbfe9182100000000"
      "000000401a0968747470733a2f2f78",
      "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"key\":\"host.name\",\"value\":{\"stringValue\":\"p"
      "i\"}}]},\"scopeMetrics\":[{\"scope\":{\"name\":\"meter\",\"version\":\"1\"},\"metrics\":[{\"name\":\"a\","
      "\"description\":\"d\",\"unit\":\"W\",\"gauge\":{\"dataPoints\":[{\"startTimeUnixNano\":\"17951759890000000"
      "00\",\"timeUnixNano\":\"1795175999000000000\",\"asDouble\":0.0,\"flags\":1},{\"startTimeUnixNano\":\"17951"
      "75989000000000\",\"timeUnixNano\":\"1795175999000000000\",\"asDouble\":2.0}]}}]}],\"schemaUrl\":\"https://"
      "x\"}]}",
      "pi @2026-11-20T11:59:59Z a=2" },
    { "no time is now",
      "0a4f0a130a110a09686f73742e6e616d6512040a027069122d0a0a0a056d65746572120131121f0a01611201641a01572a140a1211"
      "00d2a7fd0cbfe9182100000000000000401a0968747470733a2f2f78",
      "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"key\":\"host.name\",\"value\":{\"stringValue\":\"p"
      "i\"}}]},\"scopeMetrics\":[{\"scope\":{\"name\":\"meter\",\"version\":\"1\"},\"metrics\":[{\"name\":\"a\","
      "\"description\":\"d\",\"unit\":\"W\",\"gauge\":{\"dataPoints\":[{\"startTimeUnixNano\":\"17951759890000000"
      "00\",\"asDouble\":2.0}]}}]}],\"schemaUrl\":\"https://x\"}]}",
      "pi a=2" },
    { "nanoseconds are cut to microseconds",
      "0a580a130a110a09686f73742e6e616d6512040a02706912360a0a0a056d6574657212013112280a01611201641a01572a1d0a1b11"
      "00d2a7fd0cbfe91819cfbdb3510fbfe9182100000000000000401a0968747470733a2f2f78",
      "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"key\":\"host.name\",\"value\":{\"stringValue\":\"p"
      "i\"}}]},\"scopeMetrics\":[{\"scope\":{\"name\":\"meter\",\"version\":\"1\"},\"metrics\":[{\"name\":\"a\","
      "\"description\":\"d\",\"unit\":\"W\",\"gauge\":{\"dataPoints\":[{\"startTimeUnixNano\":\"17951759890000000"
      "00\",\"timeUnixNano\":\"1795175999000001999\",\"asDouble\":2.0}]}}]}],\"schemaUrl\":\"https://x\"}]}",
      "pi @2026-11-20T11:59:59.000001Z a=2" },
    { "no value",
      "0a6c0a130a110a09686f73742e6e616d6512040a027069124a0a0a0a056d65746572120131123c0a01611201641a01572a310a1211"
      "00d2a7fd0cbfe9181900b6b3510fbfe9180a1b1100d2a7fd0cbfe9181900b6b3510fbfe9183101000000000000001a096874747073"
      "3a2f2f78",
      "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"key\":\"host.name\",\"value\":{\"stringValue\":\"p"
      "i\"}}]},\"scopeMetrics\":[{\"scope\":{\"name\":\"meter\",\"version\":\"1\"},\"metrics\":[{\"name\":\"a\","
      "\"description\":\"d\",\"unit\":\"W\",\"gauge\":{\"dataPoints\":[{\"startTimeUnixNano\":\"17951759890000000"
      "00\",\"timeUnixNano\":\"1795175999000000000\"},{\"startTimeUnixNano\":\"1795175989000000000\",\"timeUnixNa"
      "no\":\"1795175999000000000\",\"asInt\":\"1\"}]}}]}],\"schemaUrl\":\"https://x\"}]}",
      "pi @2026-11-20T11:59:59Z a=1 # 0: a point has no value" },
    { "NaN and infinity are rejected",
      "0a92010a130a110a09686f73742e6e616d6512040a02706912700a0a0a056d6574657212013112620a01611201641a01572a570a1b"
      "1100d2a7fd0cbfe9181900b6b3510fbfe91821000000000000f87f0a1b1100d2a7fd0cbfe9181900b6b3510fbfe918210000000000"
      "00f07f0a1b1100d2a7fd0cbfe9181900b6b3510fbfe91821000000000000f03f1a0968747470733a2f2f78",
      "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"key\":\"host.name\",\"value\":{\"stringValue\":\"p"
      "i\"}}]},\"scopeMetrics\":[{\"scope\":{\"name\":\"meter\",\"version\":\"1\"},\"metrics\":[{\"name\":\"a\","
      "\"description\":\"d\",\"unit\":\"W\",\"gauge\":{\"dataPoints\":[{\"startTimeUnixNano\":\"17951759890000000"
      "00\",\"timeUnixNano\":\"1795175999000000000\",\"asDouble\":\"NaN\"},{\"startTimeUnixNano\":\"1795175989000"
      "000000\",\"timeUnixNano\":\"1795175999000000000\",\"asDouble\":\"Infinity\"},{\"startTimeUnixNano\":\"1795"
      "175989000000000\",\"timeUnixNano\":\"1795175999000000000\",\"asDouble\":1.0}]}}]}],\"schemaUrl\":\"https:/"
      "/x\"}]}",
      "pi @2026-11-20T11:59:59Z a=1 # 0: metric \"a\" is not a finite number of at most 1e100 # 1: metric \"a\" i"
      "s not a finite number of at most 1e100" },
    { "a histogram",
      "0aaf010a130a110a09686f73742e6e616d6512040a027069128c010a0a0a056d65746572120131127e0a036c61741a01734a740a70"
      "11fbb5b3510fbfe9181900b6b3510fbfe918210600000000000000290000000000002d403218010000000000000002000000000000"
      "0003000000000000003a10000000000000e03f00000000000024404a0c0a05726f75746512030a012f59000000000000d03f610000"
      "00000000264010021a0968747470733a2f2f78",
      "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"key\":\"host.name\",\"value\":{\"stringValue\":\"p"
      "i\"}}]},\"scopeMetrics\":[{\"scope\":{\"name\":\"meter\",\"version\":\"1\"},\"metrics\":[{\"name\":\"lat\""
      ",\"unit\":\"s\",\"histogram\":{\"dataPoints\":[{\"startTimeUnixNano\":\"1795175998999999995\",\"timeUnixNa"
      "no\":\"1795175999000000000\",\"count\":\"6\",\"sum\":14.5,\"bucketCounts\":[\"1\",\"2\",\"3\"],\"explicitB"
      "ounds\":[0.5,10.0],\"attributes\":[{\"key\":\"route\",\"value\":{\"stringValue\":\"/\"}}],\"min\":0.25,\"m"
      "ax\":11.0}],\"aggregationTemporality\":2}}]}],\"schemaUrl\":\"https://x\"}]}",
      "pi @2026-11-20T11:59:59Z lat_count{\"route\":\"/\"}=6 lat_sum{\"route\":\"/\"}=14.5 lat_min{\"route\":\"/"
      "\"}=0.25 lat_max{\"route\":\"/\"}=11 lat_bucket{\"le\":\"0.5\",\"route\":\"/\"}=1 lat_bucket{\"le\":\"10\""
      ",\"route\":\"/\"}=3 lat_bucket{\"le\":\"+Inf\",\"route\":\"/\"}=6" },
    { "a delta histogram without buckets or sum",
      "0a590a130a110a09686f73742e6e616d6512040a02706912370a0a0a056d6574657212013112290a036c61741a01734a1f0a1b11fb"
      "b5b3510fbfe9181900b6b3510fbfe91821060000000000000010011a0968747470733a2f2f78",
      "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"key\":\"host.name\",\"value\":{\"stringValue\":\"p"
      "i\"}}]},\"scopeMetrics\":[{\"scope\":{\"name\":\"meter\",\"version\":\"1\"},\"metrics\":[{\"name\":\"lat\""
      ",\"unit\":\"s\",\"histogram\":{\"dataPoints\":[{\"startTimeUnixNano\":\"1795175998999999995\",\"timeUnixNa"
      "no\":\"1795175999000000000\",\"count\":\"6\"}],\"aggregationTemporality\":1}}]}],\"schemaUrl\":\"https://x"
      "\"}]}",
      "pi @2026-11-20T11:59:59Z lat_count{\"temporality\":\"delta\"}=6" },
    { "buckets that do not fit",
      "0a86010a130a110a09686f73742e6e616d6512040a02706912640a0a0a056d6574657212013112560a036c61741a01734a4c0a4811"
      "fbb5b3510fbfe9181900b6b3510fbfe91821060000000000000029000000000000f03f321801000000000000000200000000000000"
      "03000000000000003a08000000000000e03f10021a0968747470733a2f2f78",
      "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"key\":\"host.name\",\"value\":{\"stringValue\":\"p"
      "i\"}}]},\"scopeMetrics\":[{\"scope\":{\"name\":\"meter\",\"version\":\"1\"},\"metrics\":[{\"name\":\"lat\""
      ",\"unit\":\"s\",\"histogram\":{\"dataPoints\":[{\"startTimeUnixNano\":\"1795175998999999995\",\"timeUnixNa"
      "no\":\"1795175999000000000\",\"count\":\"6\",\"sum\":1.0,\"bucketCounts\":[\"1\",\"2\",\"3\"],\"explicitBo"
      "unds\":[0.5]}],\"aggregationTemporality\":2}}]}],\"schemaUrl\":\"https://x\"}]}",
      "# 0: a histogram's buckets do not fit its bounds" },
    { "too many buckets",
      "0af9080a130a110a09686f73742e6e616d6512040a02706912d6080a0a0a056d6574657212013112c7080a036c61741a01734abc08"
      "0ab70811fbb5b3510fbfe9181900b6b3510fbfe91821060000000000000029000000000000f03f3290080100000000000000010000"
      "0000000000010000000000000001000000000000000100000000000000010000000000000001000000000000000100000000000000"
      "0100000000000000010000000000000001000000000000000100000000000000010000000000000001000000000000000100000000"
      "0000000100000000000000010000000000000001000000000000000100000000000000010000000000000001000000000000000100"
      "0000000000000100000000000000010000000000000001000000000000000100000000000000010000000000000001000000000000"
      "0001000000000000000100000000000000010000000000000001000000000000000100000000000000010000000000000001000000"
      "0000000001000000000000000100000000000000010000000000000001000000000000000100000000000000010000000000000001"
      "0000000000000001000000000000000100000000000000010000000000000001000000000000000100000000000000010000000000"
      "0000010000000000000001000000000000000100000000000000010000000000000001000000000000000100000000000000010000"
      "0000000000010000000000000001000000000000000100000000000000010000000000000001000000000000000100000000000000"
      "0100000000000000010000000000000001000000000000000100000000000000010000000000000001000000000000000100000000"
      "0000000100000000000000010000000000000001000000000000000100000000000000010000000000000001000000000000000100"
      "0000000000000100000000000000010000000000000001000000000000000100000000000000010000000000000001000000000000"
      "0001000000000000000100000000000000010000000000000001000000000000000100000000000000010000000000000001000000"
      "0000000001000000000000000100000000000000010000000000000001000000000000000100000000000000010000000000000001"
      "0000000000000001000000000000000100000000000000010000000000000001000000000000000100000000000000010000000000"
      "0000010000000000000001000000000000000100000000000000010000000000000001000000000000000100000000000000010000"
      "0000000000010000000000000001000000000000000100000000000000010000000000000001000000000000000100000000000000"
      "0100000000000000010000000000000001000000000000000100000000000000010000000000000001000000000000000100000000"
      "0000000100000000000000010000000000000001000000000000000100000000000000010000000000000001000000000000000100"
      "0000000000000100000000000000010000000000000010021a0968747470733a2f2f78",
      "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"key\":\"host.name\",\"value\":{\"stringValue\":\"p"
      "i\"}}]},\"scopeMetrics\":[{\"scope\":{\"name\":\"meter\",\"version\":\"1\"},\"metrics\":[{\"name\":\"lat\""
      ",\"unit\":\"s\",\"histogram\":{\"dataPoints\":[{\"startTimeUnixNano\":\"1795175998999999995\",\"timeUnixNa"
      "no\":\"1795175999000000000\",\"count\":\"6\",\"sum\":1.0,\"bucketCounts\":[\"1\",\"1\",\"1\",\"1\",\"1\","
      "\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1"
      "\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\","
      "\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1"
      "\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\","
      "\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1"
      "\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\","
      "\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1\",\"1"
      "\",\"1\",\"1\"]}],\"aggregationTemporality\":2}}]}],\"schemaUrl\":\"https://x\"}]}",
      "# 0: more than 128 metrics, or labels too long" },
    { "an exponential histogram is count and sum",
      "0a83010a130a110a09686f73742e6e616d6512040a02706912610a0a0a056d6574657212013112530a0165524e0a4a0a080a016112"
      "030a01621900b6b3510fbfe918210300000000000000290000000000001e4030043901000000000000004206080112020101610000"
      "00000000e03f69000000000000104010021a0968747470733a2f2f78",
      "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"key\":\"host.name\",\"value\":{\"stringValue\":\"p"
      "i\"}}]},\"scopeMetrics\":[{\"scope\":{\"name\":\"meter\",\"version\":\"1\"},\"metrics\":[{\"name\":\"e\","
      "\"exponentialHistogram\":{\"dataPoints\":[{\"attributes\":[{\"key\":\"a\",\"value\":{\"stringValue\":\"b\""
      "}}],\"timeUnixNano\":\"1795175999000000000\",\"count\":\"3\",\"sum\":7.5,\"scale\":2,\"zeroCount\":\"1\","
      "\"positive\":{\"offset\":-1,\"bucketCounts\":[\"1\",\"1\"]},\"min\":0.5,\"max\":4.0}],\"aggregationTempora"
      "lity\":2}}]}],\"schemaUrl\":\"https://x\"}]}",
      "pi @2026-11-20T11:59:59Z e_count{\"a\":\"b\"}=3 e_sum{\"a\":\"b\"}=7.5 e_min{\"a\":\"b\"}=0.5 e_max{\"a\":"
      "\"b\"}=4" },
    { "a summary",
      "0a98010a130a110a09686f73742e6e616d6512040a02706912760a0a0a056d6574657212013112680a01735a630a611900b6b3510f"
      "bfe918210300000000000000290000000000001e40321209000000000000e03f110000000000000040321209ae47e17a14aeef3f11"
      "000000000000f87f321209000000000000f03f1100000000000010403a080a016112030a01621a0968747470733a2f2f78",
      "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"key\":\"host.name\",\"value\":{\"stringValue\":\"p"
      "i\"}}]},\"scopeMetrics\":[{\"scope\":{\"name\":\"meter\",\"version\":\"1\"},\"metrics\":[{\"name\":\"s\","
      "\"summary\":{\"dataPoints\":[{\"timeUnixNano\":\"1795175999000000000\",\"count\":\"3\",\"sum\":7.5,\"quant"
      "ileValues\":[{\"quantile\":0.5,\"value\":2.0},{\"quantile\":0.99,\"value\":\"NaN\"},{\"quantile\":1.0,\"va"
      "lue\":4.0}],\"attributes\":[{\"key\":\"a\",\"value\":{\"stringValue\":\"b\"}}]}]}}]}],\"schemaUrl\":\"http"
      "s://x\"}]}",
      "pi @2026-11-20T11:59:59Z s_count{\"a\":\"b\"}=3 s_sum{\"a\":\"b\"}=7.5 s{\"a\":\"b\",\"quantile\":\"0.5\"}"
      "=2 s{\"a\":\"b\",\"quantile\":\"1\"}=4" },
    { "a metric without points",
      "0a330a130a110a09686f73742e6e616d6512040a02706912110a0a0a056d6574657212013112030a01781a0968747470733a2f2f78",
      "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"key\":\"host.name\",\"value\":{\"stringValue\":\"p"
      "i\"}}]},\"scopeMetrics\":[{\"scope\":{\"name\":\"meter\",\"version\":\"1\"},\"metrics\":[{\"name\":\"x\"}]"
      "}],\"schemaUrl\":\"https://x\"}]}",
      "" },
    { "other alphabets",
      "0a650a170a150a09686f73742e6e616d6512080a066bc3bc636865123f0a0a0a056d6574657212013112310a0ad182d0b5d0bfd0bb"
      "d0be1201641a01572a1d0a1b1100d2a7fd0cbfe9181900b6b3510fbfe9183101000000000000001a0968747470733a2f2f78",
      "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"key\":\"host.name\",\"value\":{\"stringValue\":\"k"
      "üche\"}}]},\"scopeMetrics\":[{\"scope\":{\"name\":\"meter\",\"version\":\"1\"},\"metrics\":[{\"name\":\""
      "тепло\",\"description\":\"d\",\"unit\":\"W\",\"gauge\":{\"dataPoints\":[{\"startTimeUnixNano\":\"1795"
      "175989000000000\",\"timeUnixNano\":\"1795175999000000000\",\"asInt\":\"1\"}]}}]}],\"schemaUrl\":\"https://"
      "x\"}]}",
      "küche @2026-11-20T11:59:59Z тепло=1" },
    { "no name",
      "0a550a130a110a09686f73742e6e616d6512040a02706912330a0a0a056d6574657212013112251201641a01572a1d0a1b1100d2a7"
      "fd0cbfe9181900b6b3510fbfe9183101000000000000001a0968747470733a2f2f78",
      "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"key\":\"host.name\",\"value\":{\"stringValue\":\"p"
      "i\"}}]},\"scopeMetrics\":[{\"scope\":{\"name\":\"meter\",\"version\":\"1\"},\"metrics\":[{\"description\":"
      "\"d\",\"unit\":\"W\",\"gauge\":{\"dataPoints\":[{\"startTimeUnixNano\":\"1795175989000000000\",\"timeUnixN"
      "ano\":\"1795175999000000000\",\"asInt\":\"1\"}]}}]}],\"schemaUrl\":\"https://x\"}]}",
      "# 0: metric is empty" },
    { "an attribute without a key",
      "0a5f0a130a110a09686f73742e6e616d6512040a027069123d0a0a0a056d65746572120131122f0a01611201641a01572a240a2211"
      "00d2a7fd0cbfe9181900b6b3510fbfe9183101000000000000003a0512030a01781a0968747470733a2f2f78",
      "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"key\":\"host.name\",\"value\":{\"stringValue\":\"p"
      "i\"}}]},\"scopeMetrics\":[{\"scope\":{\"name\":\"meter\",\"version\":\"1\"},\"metrics\":[{\"name\":\"a\","
      "\"description\":\"d\",\"unit\":\"W\",\"gauge\":{\"dataPoints\":[{\"startTimeUnixNano\":\"17951759890000000"
      "00\",\"timeUnixNano\":\"1795175999000000000\",\"asInt\":\"1\",\"attributes\":[{\"value\":{\"stringValue\":"
      "\"x\"}}]}]}}]}],\"schemaUrl\":\"https://x\"}]}",
      "# 0: an attribute has no key" },
    { "nothing",
      "",
      "{}",
      "" },
};

#endif

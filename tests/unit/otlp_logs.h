/* OTLP logs in both encodings, and what is to be read of them: for ingest_otlp.c. Bytes and JSON
 * were made by protobuf's own encoders (Python's, with opentelemetry-proto; in the JSON, ids are
 * hexadecimal as OTLP has them). */
#ifndef TIDEMARK_TESTS_OTLP_LOGS_H
#define TIDEMARK_TESTS_OTLP_LOGS_H

static const struct otlp_case otlp_logs[] = {
    { "a record",
      "0a85010a130a110a09686f73742e6e616d6512040a027069126e0a050a0361707012650900b6b3510fbfe91810091a0b496e666f72"
      "6d6174696f6e2a090a0773746172746564320d0a047573657212050a0365766532070a016e1202180345010000004a100001020304"
      "05060708090a0b0c0d0e0f520800010203040506075905b6b3510fbfe918",
      "{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"host.name\",\"value\":{\"stringValue\":\"pi\""
      "}}]},\"scopeLogs\":[{\"scope\":{\"name\":\"app\"},\"logRecords\":[{\"timeUnixNano\":\"1795175999000000000"
      "\",\"severityNumber\":9,\"severityText\":\"Information\",\"body\":{\"stringValue\":\"started\"},\"attribut"
      "es\":[{\"key\":\"user\",\"value\":{\"stringValue\":\"eve\"}},{\"key\":\"n\",\"value\":{\"intValue\":\"3\"}"
      "}],\"flags\":1,\"traceId\":\"000102030405060708090a0b0c0d0e0f\",\"spanId\":\"0001020304050607\",\"observed"
      "TimeUnixNano\":\"1795175999000000005\"}]}]}]}",
      "pi @2026-11-20T11:59:59Z type=log data={\"severity\":\"Information\",\"severity_number\":9,\"body\":\"star"
      "ted\",\"attributes\":{\"user\":\"eve\",\"n\":3},\"scope\":\"app\",\"resource\":{\"host.name\":\"pi\"},\"tr"
      "ace_id\":\"000102030405060708090a0b0c0d0e0f\",\"span_id\":\"0001020304050607\"} +row" },
    { "seen, but without a time; severity by its number",
      "0a560a130a110a09686f73742e6e616d6512040a027069123f0a00123b10122a2e322c0a210a0161121c2a1a0a0218010a0210010a"
      "000a092100000000000004400a033a01ff0a070a0162120232005900b6b3510fbfe918",
      "{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"host.name\",\"value\":{\"stringValue\":\"pi\""
      "}}]},\"scopeLogs\":[{\"scope\":{},\"logRecords\":[{\"severityNumber\":18,\"body\":{\"kvlistValue\":{\"valu"
      "es\":[{\"key\":\"a\",\"value\":{\"arrayValue\":{\"values\":[{\"intValue\":\"1\"},{\"boolValue\":true},{},{"
      "\"doubleValue\":2.5},{\"bytesValue\":\"/w==\"}]}}},{\"key\":\"b\",\"value\":{\"kvlistValue\":{}}}]}},\"obs"
      "ervedTimeUnixNano\":\"1795175999000000000\"}]}]}]}",
      "pi @2026-11-20T11:59:59Z type=log data={\"severity\":\"ERROR\",\"severity_number\":18,\"body\":{\"a\":[1,t"
      "rue,null,2.5,\"/w==\"],\"b\":{}},\"resource\":{\"host.name\":\"pi\"}} +row" },
    { "an event with a name",
      "0a2f0a130a110a09686f73742e6e616d6512040a02706912180a0012140900b6b3510fbfe9186209646f6f722e6f70656e",
      "{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"host.name\",\"value\":{\"stringValue\":\"pi\""
      "}}]},\"scopeLogs\":[{\"scope\":{},\"logRecords\":[{\"timeUnixNano\":\"1795175999000000000\",\"eventName\":"
      "\"door.open\"}]}]}]}",
      "pi @2026-11-20T11:59:59Z type=door.open data={\"resource\":{\"host.name\":\"pi\"}} +row" },
    { "the older way to name it; a device of its own",
      "0a4a0a130a110a09686f73742e6e616d6512040a02706912330a00122f0900b6b3510fbfe91832140a0a6576656e742e6e616d6512"
      "060a04626f6f74320e0a0664657669636512040a026d31",
      "{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"host.name\",\"value\":{\"stringValue\":\"pi\""
      "}}]},\"scopeLogs\":[{\"scope\":{},\"logRecords\":[{\"timeUnixNano\":\"1795175999000000000\",\"attributes\""
      ":[{\"key\":\"event.name\",\"value\":{\"stringValue\":\"boot\"}},{\"key\":\"device\",\"value\":{\"stringVal"
      "ue\":\"m1\"}}]}]}]}]}",
      "m1 @2026-11-20T11:59:59Z type=boot data={\"attributes\":{\"event.name\":\"boot\",\"device\":\"m1\"},\"reso"
      "urce\":{\"host.name\":\"pi\"}} +row" },
    { "no device",
      "0a1b0a0012170a050a03617070120e0900b6b3510fbfe9182a030a0178",
      "{\"resourceLogs\":[{\"resource\":{},\"scopeLogs\":[{\"scope\":{\"name\":\"app\"},\"logRecords\":[{\"timeUn"
      "ixNano\":\"1795175999000000000\",\"body\":{\"stringValue\":\"x\"}}]}]}]}",
      "# 0: no device: neither the event names one nor does the token" },
    { "more attributes than labels may be",
      "0af2050a130a110a09686f73742e6e616d6512040a02706912da050a0012d5050900b6b3510fbfe91832080a026b30120218003208"
      "0a026b311202180132080a026b321202180232080a026b331202180332080a026b341202180432080a026b351202180532080a026b"
      "361202180632080a026b371202180732080a026b381202180832080a026b391202180932090a036b31301202180a32090a036b3131"
      "1202180b32090a036b31321202180c32090a036b31331202180d32090a036b31341202180e32090a036b31351202180f32090a036b"
      "31361202181032090a036b31371202181132090a036b31381202181232090a036b31391202181332090a036b32301202181432090a"
      "036b32311202181532090a036b32321202181632090a036b32331202181732090a036b32341202181832090a036b32351202181932"
      "090a036b32361202181a32090a036b32371202181b32090a036b32381202181c32090a036b32391202181d32090a036b3330120218"
      "1e32090a036b33311202181f32090a036b33321202182032090a036b33331202182132090a036b33341202182232090a036b333512"
      "02182332090a036b33361202182432090a036b33371202182532090a036b33381202182632090a036b33391202182732090a036b34"
      "301202182832090a036b34311202182932090a036b34321202182a32090a036b34331202182b32090a036b34341202182c32090a03"
      "6b34351202182d32090a036b34361202182e32090a036b34371202182f32090a036b34381202183032090a036b3439120218313209"
      "0a036b35301202183232090a036b35311202183332090a036b35321202183432090a036b35331202183532090a036b353412021836"
      "32090a036b35351202183732090a036b35361202183832090a036b35371202183932090a036b35381202183a32090a036b35391202"
      "183b32090a036b36301202183c32090a036b36311202183d32090a036b36321202183e32090a036b36331202183f32090a036b3634"
      "1202184032090a036b363512021841",
      "{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"host.name\",\"value\":{\"stringValue\":\"pi\""
      "}}]},\"scopeLogs\":[{\"scope\":{},\"logRecords\":[{\"timeUnixNano\":\"1795175999000000000\",\"attributes\""
      ":[{\"key\":\"k0\",\"value\":{\"intValue\":\"0\"}},{\"key\":\"k1\",\"value\":{\"intValue\":\"1\"}},{\"key\""
      ":\"k2\",\"value\":{\"intValue\":\"2\"}},{\"key\":\"k3\",\"value\":{\"intValue\":\"3\"}},{\"key\":\"k4\",\""
      "value\":{\"intValue\":\"4\"}},{\"key\":\"k5\",\"value\":{\"intValue\":\"5\"}},{\"key\":\"k6\",\"value\":{"
      "\"intValue\":\"6\"}},{\"key\":\"k7\",\"value\":{\"intValue\":\"7\"}},{\"key\":\"k8\",\"value\":{\"intValue"
      "\":\"8\"}},{\"key\":\"k9\",\"value\":{\"intValue\":\"9\"}},{\"key\":\"k10\",\"value\":{\"intValue\":\"10\""
      "}},{\"key\":\"k11\",\"value\":{\"intValue\":\"11\"}},{\"key\":\"k12\",\"value\":{\"intValue\":\"12\"}},{\""
      "key\":\"k13\",\"value\":{\"intValue\":\"13\"}},{\"key\":\"k14\",\"value\":{\"intValue\":\"14\"}},{\"key\":"
      "\"k15\",\"value\":{\"intValue\":\"15\"}},{\"key\":\"k16\",\"value\":{\"intValue\":\"16\"}},{\"key\":\"k17"
      "\",\"value\":{\"intValue\":\"17\"}},{\"key\":\"k18\",\"value\":{\"intValue\":\"18\"}},{\"key\":\"k19\",\"v"
      "alue\":{\"intValue\":\"19\"}},{\"key\":\"k20\",\"value\":{\"intValue\":\"20\"}},{\"key\":\"k21\",\"value\""
      ":{\"intValue\":\"21\"}},{\"key\":\"k22\",\"value\":{\"intValue\":\"22\"}},{\"key\":\"k23\",\"value\":{\"in"
      "tValue\":\"23\"}},{\"key\":\"k24\",\"value\":{\"intValue\":\"24\"}},{\"key\":\"k25\",\"value\":{\"intValue"
      "\":\"25\"}},{\"key\":\"k26\",\"value\":{\"intValue\":\"26\"}},{\"key\":\"k27\",\"value\":{\"intValue\":\"2"
      "7\"}},{\"key\":\"k28\",\"value\":{\"intValue\":\"28\"}},{\"key\":\"k29\",\"value\":{\"intValue\":\"29\"}},"
      "{\"key\":\"k30\",\"value\":{\"intValue\":\"30\"}},{\"key\":\"k31\",\"value\":{\"intValue\":\"31\"}},{\"key"
      "\":\"k32\",\"value\":{\"intValue\":\"32\"}},{\"key\":\"k33\",\"value\":{\"intValue\":\"33\"}},{\"key\":\"k"
      "34\",\"value\":{\"intValue\":\"34\"}},{\"key\":\"k35\",\"value\":{\"intValue\":\"35\"}},{\"key\":\"k36\","
      "\"value\":{\"intValue\":\"36\"}},{\"key\":\"k37\",\"value\":{\"intValue\":\"37\"}},{\"key\":\"k38\",\"valu"
      "e\":{\"intValue\":\"38\"}},{\"key\":\"k39\",\"value\":{\"intValue\":\"39\"}},{\"key\":\"k40\",\"value\":{"
      "\"intValue\":\"40\"}},{\"key\":\"k41\",\"value\":{\"intValue\":\"41\"}},{\"key\":\"k42\",\"value\":{\"intV"
      "alue\":\"42\"}},{\"key\":\"k43\",\"value\":{\"intValue\":\"43\"}},{\"key\":\"k44\",\"value\":{\"intValue\""
      ":\"44\"}},{\"key\":\"k45\",\"value\":{\"intValue\":\"45\"}},{\"key\":\"k46\",\"value\":{\"intValue\":\"46"
      "\"}},{\"key\":\"k47\",\"value\":{\"intValue\":\"47\"}},{\"key\":\"k48\",\"value\":{\"intValue\":\"48\"}},{"
      "\"key\":\"k49\",\"value\":{\"intValue\":\"49\"}},{\"key\":\"k50\",\"value\":{\"intValue\":\"50\"}},{\"key"
      "\":\"k51\",\"value\":{\"intValue\":\"51\"}},{\"key\":\"k52\",\"value\":{\"intValue\":\"52\"}},{\"key\":\"k"
      "53\",\"value\":{\"intValue\":\"53\"}},{\"key\":\"k54\",\"value\":{\"intValue\":\"54\"}},{\"key\":\"k55\","
      "\"value\":{\"intValue\":\"55\"}},{\"key\":\"k56\",\"value\":{\"intValue\":\"56\"}},{\"key\":\"k57\",\"valu"
      "e\":{\"intValue\":\"57\"}},{\"key\":\"k58\",\"value\":{\"intValue\":\"58\"}},{\"key\":\"k59\",\"value\":{"
      "\"intValue\":\"59\"}},{\"key\":\"k60\",\"value\":{\"intValue\":\"60\"}},{\"key\":\"k61\",\"value\":{\"intV"
      "alue\":\"61\"}},{\"key\":\"k62\",\"value\":{\"intValue\":\"62\"}},{\"key\":\"k63\",\"value\":{\"intValue\""
      ":\"63\"}},{\"key\":\"k64\",\"value\":{\"intValue\":\"64\"}},{\"key\":\"k65\",\"value\":{\"intValue\":\"65"
      "\"}}]}]}]}]}",
      "pi @2026-11-20T11:59:59Z type=log data={\"attributes\":{\"k0\":0,\"k1\":1,\"k2\":2,\"k3\":3,\"k4\":4,\"k5"
      "\":5,\"k6\":6,\"k7\":7,\"k8\":8,\"k9\":9,\"k10\":10,\"k11\":11,\"k12\":12,\"k13\":13,\"k14\":14,\"k15\":15"
      ",\"k16\":16,\"k17\":17,\"k18\":18,\"k19\":19,\"k20\":20,\"k21\":21,\"k22\":22,\"k23\":23,\"k24\":24,\"k25"
      "\":25,\"k26\":26,\"k27\":27,\"k28\":28,\"k29\":29,\"k30\":30,\"k31\":31,\"k32\":32,\"k33\":33,\"k34\":34,"
      "\"k35\":35,\"k36\":36,\"k37\":37,\"k38\":38,\"k39\":39,\"k40\":40,\"k41\":41,\"k42\":42,\"k43\":43,\"k44\""
      ":44,\"k45\":45,\"k46\":46,\"k47\":47,\"k48\":48,\"k49\":49,\"k50\":50,\"k51\":51,\"k52\":52,\"k53\":53,\"k"
      "54\":54,\"k55\":55,\"k56\":56,\"k57\":57,\"k58\":58,\"k59\":59,\"k60\":60,\"k61\":61,\"k62\":62,\"k63\":63"
      ",\"k64\":64,\"k65\":65},\"resource\":{\"host.name\":\"pi\"}} +row" },
    { "a scope without records",
      "0a1e0a130a110a09686f73742e6e616d6512040a02706912070a050a03617070",
      "{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"host.name\",\"value\":{\"stringValue\":\"pi\""
      "}}]},\"scopeLogs\":[{\"scope\":{\"name\":\"app\"}}]}]}",
      "" },
};

#endif

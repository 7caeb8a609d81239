"""Random readings, written by encoders that are not ours: python encoders.py MODE SEED NOW.

MODE is influx (the Python clients of InfluxDB 1 and 2), otlp or prometheus (protobuf's own encoder, for
JSON too). Prints one JSON object: the requests, and what has to be stored afterwards as lines
"device|metric|md5 of labels|time in us|value", names and values in hexadecimal digits; of texts
"device|text|md5|time in us"."""
import base64
import hashlib
import json
import random
import struct
import sys

MODE, SEED, NOW = sys.argv[1], sys.argv[2], int(sys.argv[3])
rng = random.Random(f"{MODE} {SEED}")
requests, expected = [], []

EXTREMES = [0.0, -0.0, 5e-324, -2.2250738585072014e-308, 1e-5, 0.1, 1 / 3, 123456789.123456789, 2.0**53,
            2.0**53 + 2, 1e15, 1e16, 1e17, 1e21, 1e22, 1e23, 9.999999999999999e22, -1e99, 4.35, 0.5]


def number():
    kind = rng.randrange(5)
    if kind == 0:
        return rng.choice(EXTREMES)
    if kind == 1:
        return rng.uniform(-1e6, 1e6)
    if kind == 2:
        return round(rng.uniform(-1000, 1000), rng.randrange(6))
    if kind == 3:  # any bits that are a number within what is taken for a reading
        while True:
            value = struct.unpack(">d", rng.getrandbits(64).to_bytes(8, "big"))[0]
            if abs(value) < 1e100:
                return value
    return rng.uniform(-1, 1) * 10 ** rng.randrange(-90, 90)


def integer():
    return rng.choice([rng.randrange(-100, 100), rng.randrange(-2**63, 2**63), 2**63 - 1, -2**63,
                       2**53 + 1, rng.choice([-1, 1]) * 10 ** rng.randrange(19)])


def text(more="", most=12):
    letters = "abzAZ09_-./:;#'()[]{}<>&%+*?!|~^$@ßé温😀" + more
    return rng.choice("abcXYZ") + "".join(rng.choice(letters) for _ in range(rng.randrange(most)))


def md5_of(labels):
    joined = "\2".join(k + "\1" + v for k, v in sorted(labels.items(), key=lambda pair: pair[0].encode()))
    return hashlib.md5(joined.encode()).hexdigest()


def expect(device, metric, labels, time_us, value):
    expected.append("|".join([device.encode().hex(), metric.encode().hex(), md5_of(labels), str(time_us),
                              struct.pack(">d", float(value)).hex()]))


def expect_text(device, value, time_us):
    expected.append("|".join([device.encode().hex(), "text", hashlib.md5(value.encode()).hexdigest(),
                              str(time_us)]))


def send(path, body, **headers):
    requests.append({"path": path, "body": base64.b64encode(body).decode(),
                     "headers": {name.replace("_", "-"): value for name, value in headers.items()}})


# ---- line protocol ----

def fields_of(point_of, name_more):
    """Random fields by name, and what they are as readings."""
    fields, readings = {}, {}
    for _ in range(rng.randrange(1, 6)):
        name = text(name_more)
        value = rng.choice([number, integer, lambda: rng.random() < 0.5])()
        fields[name] = value
        readings[name] = point_of(value)
    return fields, readings


def influx_points(device, more, measurement_more, string_more):
    for i in range(250):
        time_ns = (NOW - 3000 + i) * 10**9 + rng.randrange(10**9)
        measurement = text(measurement_more)
        tags = {text(more): text(more) for _ in range(rng.randrange(4))}
        fields, readings = fields_of(float, more)
        if rng.random() < 0.3:
            fields["text"] = text(more + string_more, 40)
            expect_text(device, fields["text"], time_ns // 1000)
        for name, value in readings.items():
            expect(device, measurement + "." + name, tags, time_ns // 1000, value)
        yield measurement, tags, fields, time_ns


def influx():
    from influxdb.line_protocol import make_lines
    from influxdb_client import Point, WritePrecision

    # version 1's writes a backslash before = in measurements, where it is none; and \n for a new line
    points = [{"measurement": m, "tags": {**tags, "device": "enc-influx 1"}, "fields": fields, "time": t}
              for m, tags, fields, t in influx_points("enc-influx 1", " ,=", " ,", "\\\"")]
    send("/write?db=x", make_lines({"points": points}).encode())
    lines = []
    for measurement, tags, fields, time_ns in influx_points("enc-influx 2", " ,=\"", " ,=", "\\\"\n\r\t"):
        point = Point(measurement).tag("device", "enc-influx 2").time(time_ns, WritePrecision.NS)
        for name, value in tags.items():
            point.tag(name, value)
        for name, value in fields.items():
            point.field(name, value)
        lines.append(point.to_line_protocol())
    send("/api/v2/write?org=x&bucket=x", "\n".join(lines).encode())


# ---- protobuf ----

def attribute(target, name, value):
    pair = target.add(key=name)
    if isinstance(value, bool):
        pair.value.bool_value = value
    elif isinstance(value, int):
        pair.value.int_value = value
    else:
        pair.value.string_value = value


def random_labels(target):
    labels = {}
    for _ in range(rng.randrange(4)):
        name, value = text(" ,="), rng.choice([text(" \\\"\n"), rng.randrange(-2**63, 2**63), rng.random() < 0.5])
        if name not in labels:
            attribute(target, name, value)
            labels[name] = str(value).lower() if isinstance(value, bool) else str(value)
    return labels


def otlp_request(device, is_json):
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
    from opentelemetry.proto.metrics.v1 import metrics_pb2

    request = ExportMetricsServiceRequest()
    for r in range(3):
        resource = request.resource_metrics.add()
        attribute(resource.resource.attributes, "device", device)
        scope = resource.scope_metrics.add()
        scope.scope.name = text()
        for m in range(40):
            name, time_us = f"m{r}.{m}." + text(" ", 6), (NOW - 3000 + m) * 10**6 + rng.randrange(10**6)
            metric = scope.metrics.add(name=name, description=text(" "), unit="1")
            is_sum, is_delta = rng.random() < 0.5, rng.random() < 0.3
            data = metric.sum if is_sum else metric.gauge
            if is_sum:
                data.is_monotonic = rng.random() < 0.5
                data.aggregation_temporality = (metrics_pb2.AGGREGATION_TEMPORALITY_DELTA if is_delta
                                                else metrics_pb2.AGGREGATION_TEMPORALITY_CUMULATIVE)
            for p in range(rng.randrange(1, 4)):
                point = data.data_points.add(time_unix_nano=time_us * 1000 + rng.randrange(1000),
                                             start_time_unix_nano=(NOW - 9000) * 10**9)
                labels = random_labels(point.attributes)
                attribute(point.attributes, "point", str(p))
                labels["point"] = str(p)
                if is_sum and is_delta:
                    labels["temporality"] = "delta"
                if rng.random() < 0.5:
                    point.as_double = number()
                    expect(device, name, labels, time_us, point.as_double)
                else:
                    point.as_int = integer()
                    expect(device, name, labels, time_us, point.as_int)
    if is_json:
        from google.protobuf.json_format import MessageToJson
        body = MessageToJson(request, use_integers_for_enums=True, indent=rng.choice([None, 1]))
        send("/v1/metrics", body.encode(), Content_Type="application/json")
    else:
        send("/v1/metrics", request.SerializeToString(), Content_Type="application/x-protobuf")


def otlp():
    otlp_request("enc-otlp-proto", False)
    otlp_request("enc-otlp-json", True)


def messages(package, definitions):
    """Classes of messages: {name: [(field, number, type, is_repeated)]}; a type may be a message."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name=package + ".proto", package=package, syntax="proto3")
    for message, fields in definitions.items():
        described = file.message_type.add(name=message)
        for name, number_, kind, is_repeated in fields:
            field = described.field.add(name=name, number=number_, label=3 if is_repeated else 1)
            if kind in definitions:
                field.type, field.type_name = kinds.TYPE_MESSAGE, f".{package}.{kind}"
            else:
                field.type = getattr(kinds, "TYPE_" + kind.upper())
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{package}.{name}"))
            for name in definitions}


# prometheus/prompb/remote.proto and types.proto; io/prometheus/write/v2/types.proto
SAMPLE = [("value", 1, "double", False), ("timestamp", 2, "int64", False)]
VERSION_1 = {
    "WriteRequest": [("timeseries", 1, "TimeSeries", True)],
    "TimeSeries": [("labels", 1, "Label", True), ("samples", 2, "Sample", True), ("exemplars", 3, "Exemplar", True)],
    "Label": [("name", 1, "string", False), ("value", 2, "string", False)],
    "Sample": SAMPLE,
    "Exemplar": [("labels", 1, "Label", True), ("value", 2, "double", False), ("timestamp", 3, "int64", False)],
}
VERSION_2 = {
    "Request": [("symbols", 4, "string", True), ("timeseries", 5, "TimeSeries", True)],
    "TimeSeries": [("labels_refs", 1, "uint32", True), ("samples", 2, "Sample", True),
                   ("exemplars", 4, "Exemplar", True), ("metadata", 5, "Metadata", False),
                   ("created_timestamp", 6, "int64", False)],
    "Sample": SAMPLE,
    "Exemplar": [("labels_refs", 1, "uint32", True), ("value", 2, "double", False), ("timestamp", 3, "int64", False)],
    "Metadata": [("type", 1, "int32", False), ("help_ref", 3, "uint32", False), ("unit_ref", 4, "uint32", False)],
}
STALE = struct.unpack(">d", bytes.fromhex("7ff0000000000002"))[0]


def snappy(body):
    """The block format with literals alone."""
    out, length = bytearray(), len(body)
    while True:
        out.append(length & 0x7F | (0x80 if length > 0x7F else 0))
        length >>= 7
        if not length:
            break
    for at in range(0, len(body), 65536):
        piece = body[at:at + 65536]
        out += bytes([61 << 2]) + (len(piece) - 1).to_bytes(2, "little") + piece
    return bytes(out)


def series_of(device):
    """(labels, samples, exemplar) of a hundred series; what is stale is no reading."""
    for s in range(100):
        labels = {text(" ,="): text(" \\\"\n") for _ in range(rng.randrange(4))}
        name, samples = f"enc_{s}_" + text("", 6), []
        for t in range(rng.randrange(1, 5)):
            time_ms, value = (NOW - 3000 + t) * 1000 + rng.randrange(1000), number()
            if rng.random() < 0.1:
                value = STALE
            else:
                expect(device, name, labels, time_ms * 1000, value)
            samples.append((time_ms, value))
        yield sorted({**labels, "__name__": name, "device": device}.items()), samples, rng.random() < 0.2


def prometheus():
    made = messages("encoders.v1", VERSION_1)
    request = made["WriteRequest"]()
    for labels, samples, has_exemplar in series_of("enc-prometheus-1"):
        series = request.timeseries.add()
        for name, value in labels:
            series.labels.add(name=name, value=value)
        for time_ms, value in samples:
            series.samples.add(value=value, timestamp=time_ms)
        if has_exemplar:
            series.exemplars.add(value=number(), timestamp=NOW).labels.add(name="trace", value="x")
    kind = "application/x-protobuf"
    send("/api/v1/write", snappy(request.SerializeToString()), Content_Type=kind, Content_Encoding="snappy",
         X_Prometheus_Remote_Write_Version="0.1.0")
    made = messages("encoders.v2", VERSION_2)
    request, symbols = made["Request"](), {"": 0}
    for labels, samples, has_exemplar in series_of("enc-prometheus-2"):
        series = request.timeseries.add(created_timestamp=NOW * 1000)
        for word in (word for pair in labels for word in pair):
            series.labels_refs.append(symbols.setdefault(word, len(symbols)))
        for time_ms, value in samples:
            series.samples.add(value=value, timestamp=time_ms)
        series.metadata.type = rng.randrange(8)
        if has_exemplar:
            series.exemplars.add(value=number(), timestamp=NOW)
    request.symbols.extend(symbols)
    send("/api/v1/write", snappy(request.SerializeToString()), Content_Encoding="snappy",
         Content_Type=kind + ";proto=io.prometheus.write.v2.Request", X_Prometheus_Remote_Write_Version="2.0.0")


{"influx": influx, "otlp": otlp, "prometheus": prometheus}[MODE]()
print(json.dumps({"requests": requests, "expected": sorted(expected)}))

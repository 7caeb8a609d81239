"""Sends known metrics and logs by OpenTelemetry's exporters: python otel.py URL TOKEN"""
import logging
import sys

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.metrics import Observation
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource

url, token = sys.argv[1:3]
headers = {"Authorization": "Bearer " + token}
resource = Resource.create({"service.name": "boiler", "service.instance.id": "cellar-1"})

reader = PeriodicExportingMetricReader(
    OTLPMetricExporter(url + "/v1/metrics", headers=headers, compression=Compression.Gzip),
    export_interval_millis=3600000,
)
meters = MeterProvider(resource=resource, metric_readers=[reader])
meter = meters.get_meter("test")
meter.create_observable_gauge("temperature_c", [lambda _: [Observation(61.5, {"pipe": "flow"}), Observation(48, {"pipe": "return"})]])
meter.create_counter("starts_total").add(3)
meter.create_up_down_counter("queue").add(-2)
meter.create_histogram("burn_s").record(12.25)
meters.shutdown()

loggers = LoggerProvider(resource=resource)
loggers.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(url + "/v1/logs", headers=headers)))
logger = logging.getLogger("burner")
logger.addHandler(LoggingHandler(logger_provider=loggers))
logger.error("no flame", extra={"tries": 3})
loggers.shutdown()

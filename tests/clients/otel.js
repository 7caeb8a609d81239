// Sends known metrics and logs by OpenTelemetry's exporters: node otel.js URL TOKEN http|proto MODULES
'use strict';
const [url, token, encoding, modules] = process.argv.slice(2);
const load = (name) => require(require.resolve(name, { paths: [modules] }));
const { MeterProvider, PeriodicExportingMetricReader, AggregationTemporality } = load('@opentelemetry/sdk-metrics');
const { LoggerProvider, BatchLogRecordProcessor } = load('@opentelemetry/sdk-logs');
const { SeverityNumber } = load('@opentelemetry/api-logs');
const { Resource } = load('@opentelemetry/resources');
const { OTLPMetricExporter } = load(`@opentelemetry/exporter-metrics-otlp-${encoding}`);
const { OTLPLogExporter } = load(`@opentelemetry/exporter-logs-otlp-${encoding}`);

const headers = { Authorization: `Bearer ${token}` };
const resource = new Resource({ 'host.name': `js-${encoding}`, 'service.name': 'heating' });

async function sendMetrics() {
  const exporter = new OTLPMetricExporter({
    url: `${url}/v1/metrics`,
    headers,
    temporalityPreference: encoding === 'http' ? AggregationTemporality.CUMULATIVE : AggregationTemporality.DELTA,
  });
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3600000 });
  const provider = new MeterProvider({ resource, readers: [reader] });
  const meter = provider.getMeter('test');
  meter.createObservableGauge('power_w', { unit: 'W' }).addCallback((result) => {
    result.observe(412.5, { phase: 'L1' });
    result.observe(-87, { phase: 'L2' });
  });
  meter.createCounter('pulses').add(17);
  const latency = meter.createHistogram('latency', { advice: { explicitBucketBoundaries: [1, 10] } });
  [0.5, 2, 3, 40].forEach((value) => latency.record(value, { route: '/' }));
  await provider.shutdown();
}

async function sendLogs() {
  const exporter = new OTLPLogExporter({ url: `${url}/v1/logs`, headers });
  const provider = new LoggerProvider({ resource });
  provider.addLogRecordProcessor(new BatchLogRecordProcessor(exporter));
  provider.getLogger('pump').emit({
    severityNumber: SeverityNumber.WARN,
    severityText: 'WARN',
    body: 'pressure is low',
    attributes: { bar: 0.75, code: 7, tags: ['a', 'b'] },
  });
  await provider.forceFlush();
  await provider.shutdown();
}

sendMetrics().then(sendLogs).catch((error) => {
  console.error(error);
  process.exitCode = 1;
});

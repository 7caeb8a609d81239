// InfluxDB's client for JavaScript against a server: node influx.js FOLDER URL TOKEN NOW, where FOLDER
// holds node_modules. Writes known points and prints, as JSON, what the client made of the answers.
'use strict';
const { createRequire } = require('node:module');
const [folder, url, token, now] = process.argv.slice(2);
const { InfluxDB, Point, HttpError } = createRequire(`${folder}/`)('@influxdata/influxdb-client');

async function main() {
  const said = {};
  const options = { batchSize: 100, maxRetries: 0, gzipThreshold: 1 };
  const api = new InfluxDB({ url, token }).getWriteApi('any', 'any', 's', options);
  api.useDefaultTags({ device: 'js' });
  for (let i = 0; i < 250; i++) {
    api.writePoint(new Point('load').tag('core', '0,1 =').floatField('value', i / 8).intField('n', i)
      .timestamp(Number(now) - i));
  }
  await api.close();
  said.written = true;
  const bad = new InfluxDB({ url, token }).getWriteApi('any', 'any', 's', {
    ...options,
    writeFailed(error) {
      said.refused = error instanceof HttpError ? [error.statusCode, error.code] : String(error);
      return Promise.resolve();
    },
  });
  bad.writeRecord('bad');
  await bad.close();
  console.log(JSON.stringify(said));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});

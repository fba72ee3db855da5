/**
 * Writes the capture that the meter is measured on, to try other programs on it by hand. JSON on stdout.
 * usage: make-capture.ts FILE [--packets 1200000]
 */
import { parseArgs } from 'node:util';
import { defaultPackets, writeCapture } from './capture/write-capture.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { packets: { type: 'string', default: String(defaultPackets) } },
});
const [file] = positionals;
if (file === undefined) {
  console.error('usage: npm run bench -- make-capture FILE [--packets 1200000]');
  process.exitCode = 64;
} else {
  console.log(JSON.stringify({ file, ...(await writeCapture(file, Number(values.packets))) }, null, 2));
}

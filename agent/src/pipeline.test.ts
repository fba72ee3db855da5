/** What the stages do together with the shipped network, where packets stop coming. */
import { expect, test, vi } from 'vitest';
import { newId, type BootId } from '@picket/shared/contract/identifiers';
import type { Prediction } from '@picket/shared/contract/prediction';
import { openModelBundle } from './detection/model-bundle.ts';
import { OnnxDetector } from './detection/onnx-detector.ts';
import { shippedBundleFolder } from './detection/shipped-bundle.ts';
import { DeviceRegistry } from './devices/device-registry.ts';
import { Pipeline, type PipelineOptions, type PipelineOutput } from './pipeline.ts';
import { flowBatchOf } from './testing/flow-rows.ts';
import { Verdicts } from './verdict/decide-verdicts.ts';
import { DeviceWindows } from './window/device-windows.ts';

vi.setConfig({ testTimeout: 120_000 });

const startUs = 1_700_000_000_000_000;

type Parts = Partial<Omit<PipelineOptions, 'output'>> & { readonly output?: Partial<PipelineOutput> };

/** With the shipped network; whoever says nothing of a part gets one that is empty, and hears of nothing. */
async function pipelineOf({ output, ...parts }: Parts): Promise<Pipeline> {
  const bootId = newId() as BootId;
  return new Pipeline({
    mayExplain: () => true,
    bootId,
    source: 'live',
    registry: new DeviceRegistry(),
    windows: new DeviceWindows({ source: 'live' }),
    detector: await OnnxDetector.open(await openModelBundle(shippedBundleFolder)),
    verdicts: new Verdicts({ bootId }),
    threshold: 0.9,
    ...parts,
    output: {
      onFlow: () => undefined,
      onDevice: () => undefined,
      onPrediction: () => undefined,
      onAlert: () => undefined,
      propose: () => undefined,
      ...output,
    },
  });
}

test('the last flows before a silence are judged without waiting for the next packet', async () => {
  const predictions: Prediction[] = [];
  const pipeline = await pipelineOf({ output: { onPrediction: (prediction) => predictions.push(prediction) } });
  const flows = Array.from({ length: 6 }, (_, index) => ({
    src: '203.0.113.5',
    dst: '192.168.1.20',
    flowNumber: index,
    lastPacketAtUs: startUs + index * 10_000,
  }));
  await pipeline.add(flowBatchOf(flows));
  expect(predictions.map((prediction) => prediction.flows_seen)).toEqual([1]);
  await pipeline.advance(startUs + 200_000);
  expect(predictions).toHaveLength(1);
  await pipeline.advance(startUs + 300_000);
  expect(predictions.map((prediction) => prediction.flows_seen)).toEqual([1, 6]);
  await pipeline.advance(startUs + 900_000);
  expect(predictions).toHaveLength(2);
});

test('of a batch in which every flow makes a window due no more windows wait than are scored at once', async () => {
  let flowsTold = 0;
  const toldBefore: number[] = [];
  const windows = new DeviceWindows({ source: 'live' });
  const pipeline = await pipelineOf({
    windows,
    output: { onFlow: () => void (flowsTold += 1), onPrediction: () => void toldBefore.push(flowsTold) },
  });
  const flows = Array.from({ length: 600 }, (_, index) => ({
    src: '203.0.113.5',
    dst: `192.168.${1 + Math.floor(index / 200)}.${1 + (index % 200)}`,
    flowNumber: index,
    lastPacketAtUs: startUs + index,
  }));
  await pipeline.add(flowBatchOf(flows));
  expect(toldBefore).toHaveLength(600);
  expect([toldBefore[0], toldBefore[256], toldBefore[599]]).toEqual([256, 512, 600]);
});

test('what leaves a full table is counted, by the table', async () => {
  const pipeline = await pipelineOf({
    registry: new DeviceRegistry({ capacity: 16 }),
    windows: new DeviceWindows({ source: 'live', capacity: 16 }),
    maxDevices: 16,
  });
  const flowsOf = (devices: number) =>
    flowBatchOf(
      Array.from({ length: devices }, (_, index) => ({
        src: '203.0.113.5',
        dst: `192.168.1.${index + 1}`,
        flowNumber: index,
        lastPacketAtUs: startUs + index * 10_000,
      })),
    );
  await pipeline.add(flowsOf(16));
  expect(pipeline.forgotten).toEqual({ devices: 0, windows: 0, habits: 0, findings: 0 });
  await pipeline.add(flowsOf(40));
  expect(pipeline.forgotten).toMatchObject({ devices: 24, windows: 24, findings: 0 });
  expect(pipeline.forgotten.habits).toBeGreaterThan(0);
});

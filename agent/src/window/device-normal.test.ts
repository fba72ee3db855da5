import { expect, test } from 'vitest';
import { featureCount, windowLength } from '@picket/shared/features/feature-schema';
import { scoredWindow } from '../testing/scored-windows.ts';
import { DeviceNormals } from './device-normal.ts';
import type { WindowContext } from './window-context.ts';

function contextOf(device: string, at: number, freshFlows = 10): WindowContext {
  return { ...scoredWindow({ at, says: 'benign', device }).context, freshFlows };
}

/** The same value in every feature of every flow. */
function windowOf(value: number): Float32Array {
  return new Float32Array(windowLength * featureCount).fill(value);
}

test('a device has a normal after twenty flows, and only of flows that were new', () => {
  const normals = new DeviceNormals();
  normals.learn(contextOf('192.168.1.20', 0), windowOf(99));
  for (let at = 1; at < 10; at++) normals.learn(contextOf('192.168.1.20', at, 1), windowOf(99));
  expect(normals.of('192.168.1.20'), '19 flows').toBeUndefined();
  normals.learn(contextOf('192.168.1.20', 10, 1), windowOf(99));
  const normal = normals.of('192.168.1.20');
  expect(normal?.of).toBe('device');
  expect(Math.expm1(normal!.mean[3]!)).toBeCloseTo(99, 0);
  expect(normals.of('192.168.1.21')).toBeUndefined();
});

test('one odd flow hardly moves it, a new habit does', () => {
  const normals = new DeviceNormals();
  for (let at = 0; at < 60; at++) normals.learn(contextOf('192.168.1.20', at), windowOf(10));
  normals.learn(contextOf('192.168.1.20', 100, 1), windowOf(1e6));
  expect(Math.expm1(normals.of('192.168.1.20')!.mean[0]!)).toBeLessThan(12);
  for (let at = 200; at < 400; at++) normals.learn(contextOf('192.168.1.20', at), windowOf(1000));
  expect(Math.expm1(normals.of('192.168.1.20')!.mean[0]!)).toBeGreaterThan(500);
});

test('a busy device is looked at once a second, and the memory is bounded', () => {
  const normals = new DeviceNormals(100);
  for (let index = 0; index < 20; index++) normals.learn(contextOf('192.168.1.20', 0), windowOf(10));
  for (let index = 0; index < 1000; index++) normals.learn(contextOf('192.168.1.20', 0.5), windowOf(1e6));
  expect(Math.expm1(normals.of('192.168.1.20')!.mean[0]!)).toBeCloseTo(10, 3);
  for (let index = 0; index < 300; index++)
    normals.learn(contextOf(`10.0.${index >> 8}.${index & 255}`, 1), windowOf(1));
  expect(normals.size).toBe(100);
  expect(normals.evicted).toBe(201);
});

/** Windows to be explained: sketches, and features and attributions of which only some are not zero. */
import { contextFeatures } from '@picket/shared/features/context-features';
import { featureCount, featureNames, windowLength } from '@picket/shared/features/feature-schema';
import { attributionWidth } from '../detection/detector.ts';
import { DeviceNormals } from '../window/device-normal.ts';
import type { WindowContext } from '../window/window-context.ts';
import { scoredWindow, sketchStartUs, type WindowSketch } from './scored-windows.ts';

export function contextOf(sketch: Partial<WindowSketch>): WindowContext {
  return scoredWindow({ at: 10, says: 'port_scan', ...sketch }).context;
}

/** 10 × 78 with these values: flow (0 the oldest slot), feature, value. */
export function filled(...cells: readonly (readonly [number, string, number])[]): Float32Array {
  const values = new Float32Array(windowLength * featureCount);
  for (const [flow, feature, value] of cells) values[flow * featureCount + featureNames.indexOf(feature)] = value;
  return values;
}

/** 10 × 85 with these values, of features and numbers of the context. */
export function moved(...cells: readonly (readonly [number, string, number])[]): Float32Array {
  const names = [...featureNames, ...contextFeatures.map(({ name }) => name)];
  const values = new Float32Array(windowLength * attributionWidth);
  for (const [flow, name, value] of cells) values[flow * attributionWidth + names.indexOf(name)] = value;
  return values;
}

/** Normals of a device that sends one reading of 48 bytes after the other. */
export function normalsOf(context: WindowContext): DeviceNormals {
  const normals = new DeviceNormals();
  const reading = filled(
    ...Array.from({ length: windowLength }, (_, flow) => [flow, 'Packet Length Mean', 48] as const),
    ...Array.from({ length: windowLength }, (_, flow) => [flow, 'Flow IAT Mean', 30_000] as const),
  );
  for (let index = 0; index < 6; index++) normals.learn({ ...context, freshFlows: 5 }, reading);
  return normals;
}

/** A device that is known for a while, and whom it met 12 s ago: 87 conversations with them, 91 in all. */
export const newcomer = {
  deviceSinceUs: sketchStartUs - 890e6,
  peerSinceUs: sketchStartUs - 2e6,
  recentOfDevice: 91.4,
  recentOfPeer: 87.2,
};

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Evaluation } from './evaluation.ts';

/** @throws {Error} with what to do where the training in `folder` was not evaluated */
export function readEvaluation(folder: string): Evaluation {
  const path = join(folder, 'evaluation.json');
  if (!existsSync(path)) throw new Error(`${folder} was not evaluated: models -- evaluate ${folder}`);
  return Evaluation.parse(JSON.parse(readFileSync(path, 'utf8')));
}

import { expect, test } from 'vitest';
import { nameAnswer, nameQuestion } from './names.ts';

const addressType = 1;
const textType = 16;

test('a name gets the same answer each time, and another kind of record when asked for one', () => {
  const [first, second] = [1, 2].map(() => nameAnswer(nameQuestion(addressType, 'camera.example'))!.subarray(2));
  expect(first).toEqual(second);
  expect(first!.readUInt16BE(4)).toBeGreaterThanOrEqual(1);
  expect(nameAnswer(nameQuestion(textType, 'camera.example'))!.length).toBeGreaterThan(first!.length);
});

test('a name that does not exist is answered so, with the question repeated', () => {
  const answer = nameAnswer(nameQuestion(addressType, 'nxnobody.example'))!;
  expect(answer.readUInt16BE(2) & 0x0f).toBe(3);
  expect(answer.readUInt16BE(6)).toBe(0);
  expect(answer.includes('nxnobody')).toBe(true);
});

test('what is no question gets no answer, however it is cut', () => {
  const question = nameQuestion(addressType, 'camera.example');
  for (let length = 0; length < question.length; length++)
    expect(nameAnswer(question.subarray(0, length))).toBeUndefined();
  expect(nameAnswer(nameAnswer(question)!)).toBeUndefined();
});

import { describe, expect, test } from 'vitest';
import { filesToRunAgain, withSecondRun, type FileResult, type TestResults } from './second-run.ts';

function file(name: string, ...answers: ('passed' | 'failed' | 'skipped')[]): FileResult {
  const status = answers.length === 0 || answers.includes('failed') ? 'failed' : 'passed';
  return { name: `/here/${name}`, status, assertionResults: answers.map((answer) => ({ status: answer })) };
}

function results(...testResults: FileResult[]): TestResults {
  const all = testResults.flatMap(({ assertionResults }) => assertionResults.map(({ status }) => status));
  const count = (word: string): number => all.filter((status) => status === word).length;
  return {
    testResults,
    numPassedTests: count('passed'),
    numFailedTests: count('failed'),
    numPendingTests: count('skipped'),
    numFailedTestSuites: testResults.filter(({ status }) => status === 'failed').length,
  };
}

const broken = (name: string): FileResult => file(`${name}.integration.test.ts`, 'passed', 'failed');

describe('which files are run again', () => {
  test('system tests that failed, up to three', () => {
    const all = results(broken('a'), file('b.test.ts', 'passed'), broken('c'), broken('d'));
    expect(filesToRunAgain(all)).toEqual(['a', 'c', 'd'].map((name) => `/here/${name}.integration.test.ts`));
  });

  test('a system test that could not even begin', () => {
    expect(filesToRunAgain(results(file('a.integration.test.ts')))).toEqual(['/here/a.integration.test.ts']);
  });

  test.each([
    ['nothing failed', results(file('a.integration.test.ts', 'passed'))],
    ['a test failed that needs only the code', results(broken('a'), file('b.test.ts', 'failed'))],
    ['more failed than bad luck explains', results(...['a', 'b', 'c', 'd'].map(broken))],
    ['the scenarios, which had their second run', results(broken('.ci/end-to-end/scenarios'))],
  ])('none where %s', (_why, all) => {
    expect(filesToRunAgain(all)).toEqual([]);
  });
});

describe('what both runs say together', () => {
  const first = results(broken('a'), file('b.test.ts', 'passed', 'skipped'), file('c.integration.test.ts'));

  test('the second counts', () => {
    const second = results(
      file('a.integration.test.ts', 'passed', 'passed'),
      file('c.integration.test.ts', 'passed', 'passed', 'passed'),
    );
    expect(withSecondRun(first, second)).toMatchObject({
      numPassedTests: 6,
      numFailedTests: 0,
      numPendingTests: 1,
      numFailedTestSuites: 0,
    });
  });

  test('what fails alone as well has failed, and what was not run again keeps its result', () => {
    expect(withSecondRun(first, results(broken('a')))).toMatchObject({
      numPassedTests: 2,
      numFailedTests: 1,
      numPendingTests: 1,
      numFailedTestSuites: 2,
    });
  });
});

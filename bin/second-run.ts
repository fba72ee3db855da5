/**
 * System tests that failed among all others are run once more, alone: which, and what both runs say together
 * (docs/decisions/0018). A test that needs nothing but the code has no excuse, and no second run.
 */

/** What `--reporter=json` of vitest writes, as far as it is read here. */
export interface TestResults {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numFailedTestSuites: number;
  testResults: FileResult[];
}

export interface FileResult {
  /** The file's path. */
  name: string;
  status: 'passed' | 'failed';
  assertionResults: { status: string }[];
}

/** More than these at once is no bad luck. */
const mostFiles = 3;

/** Scenarios that fail have had their second run when their file ends. */
const hadTheirs = '.ci/end-to-end/scenarios.integration.test.ts';

/** Paths of the files to run again; none where nothing failed, or anything that a second run cannot excuse. */
export function filesToRunAgain({ testResults }: TestResults): readonly string[] {
  const failed = testResults.filter(({ status }) => status === 'failed').map(({ name }) => name);
  const isExcused = (name: string): boolean => name.endsWith('.integration.test.ts') && !name.endsWith(hadTheirs);
  return failed.length <= mostFiles && failed.every(isExcused) ? failed : [];
}

/** The second result of a file takes the place of its first. */
export function withSecondRun(first: TestResults, second: TestResults): TestResults {
  const again = new Map(second.testResults.map((file) => [file.name, file]));
  const testResults = first.testResults.map((file) => again.get(file.name) ?? file);
  const all = testResults.flatMap((file) => file.assertionResults);
  const count = (word: string): number => all.filter(({ status }) => status === word).length;
  const [passed, failed] = [count('passed'), count('failed')];
  return {
    ...first,
    testResults,
    numPassedTests: passed,
    numFailedTests: failed,
    numPendingTests: all.length - passed - failed,
    numFailedTestSuites: testResults.filter(({ status }) => status === 'failed').length,
  };
}

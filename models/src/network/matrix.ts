/** A matrix of weights, row by row, that is put together from parts of others before it goes into a graph. */

export class Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;

  constructor(rows: number, columns: number, values: Float32Array = new Float32Array(rows * columns)) {
    if (values.length !== rows * columns) throw new RangeError(`${values.length} numbers are no ${rows} × ${columns}`);
    this.rows = rows;
    this.columns = columns;
    this.values = values;
  }

  get(row: number, column: number): number {
    return this.values[row * this.columns + column]!;
  }

  put(row: number, column: number, value: number): void {
    this.values[row * this.columns + column] = value;
  }

  /** `count` rows from `row` on. */
  cut(row: number, count: number): Matrix {
    return new Matrix(count, this.columns, this.values.subarray(row * this.columns, (row + count) * this.columns));
  }

  /** Writes `part` with its corner at (`row`, `column`); this matrix. */
  set(row: number, column: number, part: Matrix): this {
    if (row + part.rows > this.rows || column + part.columns > this.columns)
      throw new RangeError(`a part of ${part.rows} × ${part.columns} does not fit at (${row}, ${column})`);
    for (let index = 0; index < part.rows; index++)
      this.values.set(part.cut(index, 1).values, (row + index) * this.columns + column);
    return this;
  }

  times(right: Matrix): Matrix {
    const result = new Matrix(this.rows, right.columns);
    for (let row = 0; row < this.rows; row++) {
      for (let column = 0; column < right.columns; column++) {
        let sum = 0;
        for (let inner = 0; inner < this.columns; inner++) sum += this.get(row, inner) * right.get(inner, column);
        result.put(row, column, sum);
      }
    }
    return result;
  }

  minus(right: Matrix): Matrix {
    if (right.rows !== this.rows || right.columns !== this.columns)
      throw new RangeError(`${right.rows} × ${right.columns} cannot be taken from ${this.rows} × ${this.columns}`);
    return new Matrix(
      this.rows,
      this.columns,
      this.values.map((value, index) => value - right.values[index]!),
    );
  }

  transposed(): Matrix {
    const result = new Matrix(this.columns, this.rows);
    for (let row = 0; row < this.rows; row++)
      for (let column = 0; column < this.columns; column++) result.put(column, row, this.get(row, column));
    return result;
  }
}

// Arithmetic of vectors: cosines, and the plane on which points differ most.

export function cosine(a, b) {
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

function dot(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) sum += a[i] * b[i];
  return sum;
}

// Principal components by power iteration on the (N, N) products of the centred rows: N is far below D here.
// Gives N points (x, y) and the share of the variance that each axis holds.
export function plane(rows) {
  const centred = centre(rows);
  const products = centred.map((a) => Float64Array.from(centred, (b) => dot(a, b)));
  const variance = products.reduce((sum, row, i) => sum + row[i], 0);
  const axes = [0, 1].map(() => {
    const { vector, value } = leading(products);
    for (let i = 0; i < rows.length; i += 1) {
      for (let j = 0; j < rows.length; j += 1) products[i][j] -= value * vector[i] * vector[j];
    }
    return { coordinates: vector.map((part) => part * Math.sqrt(value)), share: variance > 0 ? value / variance : 0 };
  });
  const points = rows.map((_, i) => axes.map((axis) => axis.coordinates[i]));
  return { points, shares: axes.map((axis) => axis.share) };
}

function centre(rows) {
  const mean = new Float64Array(rows[0].length);
  for (const row of rows) row.forEach((part, i) => { mean[i] += part / rows.length; });
  return rows.map((row) => Float64Array.from(row, (part, i) => part - mean[i]));
}

function leading(matrix) {
  // a fixed start: the same texts give the same map
  let vector = unit(Float64Array.from(matrix, (_, i) => Math.sin(i + 1)));
  let value = 0;
  for (let step = 0; step < 500; step += 1) {
    const next = Float64Array.from(matrix, (row) => dot(row, vector));
    const length = Math.sqrt(dot(next, next));
    if (length < 1e-12) return { vector: new Float64Array(matrix.length), value: 0 };
    vector = next.map((part) => part / length);
    if (Math.abs(length - value) < 1e-12 * length) break;
    value = length;
  }
  const largest = vector.reduce((best, part) => (Math.abs(part) > Math.abs(best) ? part : best), 0);
  return { vector: largest < 0 ? vector.map((part) => -part) : vector, value };
}

function unit(vector) {
  const length = Math.sqrt(dot(vector, vector));
  return vector.map((part) => part / length);
}

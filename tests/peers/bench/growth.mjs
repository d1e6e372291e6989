// Does a figure grow over a long run?

/** Slope of a line through points `[x, y]`: the median of the slopes between every two of them (Theil and Sen). A line by least
 * squares is bent by few samples that are far off, such as those that an outage falls into; here up to 29 in 100 may be wrong.
 * NaN for fewer than two different places. */
export function slope(points) {
    const slopes = points.flatMap(([x, y], n) => points.slice(n + 1).filter(([other]) => other !== x).map(([other, value]) => (value - y) / (other - x)));
    slopes.sort((a, b) => a - b);
    const middle = slopes.length >> 1;
    return slopes.length % 2 ? slopes[middle] : (slopes[middle - 1] + slopes[middle]) / 2;
}

/** What is left of samples with a `minute` when the first sixth of the run is left out: caches fill, and memory that the start took
 * is given back. */
export const warm = (samples, minutes) => samples.filter(({minute}) => minute >= minutes / 6);

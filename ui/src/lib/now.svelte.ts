import { createSubscriber } from "svelte/reactivity";

/** What all clocks of the page show: they change together, in one drawing. Nothing while nobody looks at any. */
let shown: number | undefined;

const subscribe = createSubscriber((update) => {
  const timer = setInterval(() => {
    shown = Date.now();
    update();
  }, 1000);
  return () => {
    clearInterval(timer);
    shown = undefined;
  };
});

/** The time, told anew every second to whoever reads it in a template; costs nothing while nobody does. */
export function now(): number {
  subscribe();
  shown ??= Date.now();
  return shown;
}

const subscribeCalmly = createSubscriber((update) => {
  const timer = setInterval(update, 10_000);
  return () => clearInterval(timer);
});

/**
 * The time for what is told in minutes, anew every ten seconds: each change of the page costs a drawing, and only the call
 * one is in needs its seconds.
 */
export function calmNow(): number {
  subscribeCalmly();
  return Date.now();
}

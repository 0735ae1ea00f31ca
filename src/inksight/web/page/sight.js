// Which parts of the page are in sight, so that the others need not be painted while somebody draws.

export class Sight {
  constructor() {
    this.seen = new Set();
    this.observer = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) isIntersecting ? this.seen.add(target) : this.seen.delete(target);
    });
  }

  watch(...elements) {
    elements.forEach((element) => this.observer.observe(element));
  }

  has(element) {
    return this.seen.has(element);
  }

  // Forget all elements.
  clear() {
    this.observer.disconnect();
    this.seen.clear();
  }
}

/* A page that was opened from a folder may start no worker, which the theme's search runs in. There
   a hidden frame takes a worker's place: it loads the same script, and messages go to and fro. */
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.onmessage = null;
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      document.body.append(this.frame);
      const inner = this.frame.contentWindow, page = inner.document;
      const base = new URL(url, location.href);
      const load = (source) => new Promise((done) => {
        const script = page.createElement("script");
        script.src = new URL(source, base);
        script.addEventListener("load", done);
        page.body.append(script);
      });
      inner.postMessage = (data) => setTimeout(() => {
        const told = new MessageEvent("message", { data });
        this.dispatchEvent(told);
        if (this.onmessage) this.onmessage(told);
      });
      inner.importScripts = (...sources) =>
        sources.reduce((before, source) => before.then(() => load(source)), Promise.resolve());
      this.ready = load(base);
    }

    postMessage(data) {
      const inner = this.frame.contentWindow;
      this.ready.then(() => inner.dispatchEvent(new inner.MessageEvent("message", { data })));
    }

    terminate() {
      this.frame.remove();
    }
  };
}

"use strict";
(() => {
  const $ = (s, r = document) => r.querySelector(s);
  // theme: works as a plain form; with script it applies at once
  const form = $("[data-theme-form]");
  if (form) form.addEventListener("change", () => {
    const value = form.theme.value, root = document.documentElement;
    if (value === "auto") root.removeAttribute("data-theme"); else root.setAttribute("data-theme", value);
    document.cookie = `theme=${value}; path=/; max-age=31536000; samesite=lax` + (location.protocol === "https:" ? "; secure" : "");
  });
  // "/" goes to search
  addEventListener("keydown", e => {
    if (e.key === "/" && !e.ctrlKey && !e.metaKey && !e.altKey && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) {
      const q = $("#q"); if (q && q.offsetParent) { e.preventDefault(); q.focus(); }
    }
  });
  // polling: only while the tab is visible; the server answers 204 when nothing changed
  let answered = Date.now();
  setInterval(() => { if (document.visibilityState === "visible" && window.htmx && $("#live")) htmx.trigger(document.body, "poll"); }, 5000);
  document.body.addEventListener("htmx:afterRequest", e => {
    if (e.detail.pathInfo && e.detail.pathInfo.requestPath.startsWith("/live") && e.detail.successful) answered = Date.now();
  });
  setInterval(() => {
    const fresh = $("#fresh"); if (!fresh) return;
    const s = Math.round((Date.now() - answered) / 1000);
    fresh.textContent = s > 30 ? `Not live: no answer for ${s} s` : `Live, asked ${s} s ago`;
  }, 1000);
})();

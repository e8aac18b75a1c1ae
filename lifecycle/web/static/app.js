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
  // the button of a review says the outcome of what is chosen
  const review = $("[data-review]");
  if (review) review.addEventListener("change", e => {
    const words = e.target.dataset.outcome; if (words) $("[data-outcome-button]", review).textContent = words;
  });
  // asking: what it means follows what is chosen; without script a button shows it
  const asking = $("[data-preview]");
  let shown = 0;
  if (asking) asking.addEventListener("change", async e => {
    if (e.target.name === "reason") return;
    if (e.target.name === "hours") asking.other.value = "";
    const usual = [...asking.querySelectorAll("[name=hours]")];
    if (e.target.name === "other") usual.forEach((radio, n) => { radio.checked = !asking.other.value && n === Math.min(1, usual.length - 1); });
    if (e.target.name === "entitlement") { asking.requestSubmit($("[name=show]", asking)); return; }
    const turn = ++shown, chosen = new FormData(asking);
    chosen.set("show", "1");
    const answer = await fetch(asking.action, { method: "POST", body: chosen, headers: { Accept: "text/html" } });
    if (!answer.ok || turn !== shown) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const id of ["#meaning", "#hours-e"]) $(id).replaceChildren(...page.querySelector(id).childNodes);
    asking.other.setAttribute("aria-invalid", String(!!$("#hours-e").textContent));
    $("#send").hidden = page.querySelector("#send").hidden;
    $("#send button").textContent = page.querySelector("#send button").textContent;
    asking.shown.value = page.querySelector("[name=shown]").value;
  });
  // a roster is sent with its progress shown; without script the form sends it
  const words = (p, text) => { p.textContent = text; p.hidden = !text; };
  const sending = $("[data-upload]");
  if (sending) {
    const drop = $("[data-drop]", sending), file = sending.file, problem = $("[data-problem]", sending), hint = $("#file-h");
    const usual = hint.textContent, button = $("button", sending), shown = $("[data-sending]", sending), most = Number(sending.dataset.largest);
    const fits = () => {
      const chosen = file.files[0], large = chosen && chosen.size > most;
      hint.textContent = chosen ? `${chosen.name}, ${(chosen.size / 1048576).toFixed(1)} MiB` : usual;
      words(problem, large ? `This file has ${Math.ceil(chosen.size / 1048576)} MiB; ${most / 1048576} MiB are allowed. Split it by vendor, or ask IT.` : "");
      return !large;
    };
    file.addEventListener("change", fits);
    for (const kind of ["dragover", "dragenter"]) drop.addEventListener(kind, e => { e.preventDefault(); drop.classList.add("over"); });
    for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, e => { e.preventDefault(); drop.classList.remove("over"); });
    drop.addEventListener("drop", e => {
      const [first, ...others] = e.dataTransfer.files;
      if (!first) return;
      const one = new DataTransfer();
      one.items.add(first);
      file.files = one.files;
      if (fits() && others.length) words(problem, `One file at a time; ${others.map(f => f.name).join(", ")} ${others.length > 1 ? "were" : "was"} not taken.`);
    });
    sending.addEventListener("submit", e => {
      e.preventDefault();
      if (!fits()) { file.focus(); return; }
      sending.elements.modified.value = file.files[0].lastModified;
      const call = new XMLHttpRequest(), bar = $("progress", shown), told = $("[data-told]", shown);
      shown.hidden = false; button.disabled = true; told.textContent = "Being sent";
      const failed = text => { shown.hidden = true; button.disabled = false; words(problem, text); };
      call.upload.addEventListener("progress", p => {
        if (!p.lengthComputable) return;
        bar.value = p.loaded / p.total * 100;
        told.textContent = p.loaded < p.total ? `${Math.round(bar.value)} % sent` : "Sent; it is being looked at";
      });
      call.addEventListener("load", () => {
        if (call.status < 400) { location.assign(call.responseURL); return; }
        const page = new DOMParser().parseFromString(call.responseText, "text/html"), why = page.querySelector("#error, .lead");
        failed(why ? why.textContent : `The server answered ${call.status}. Please try again.`);
      });
      call.addEventListener("error", () => failed("The connection broke; nothing was kept. Please send it again."));
      call.open("POST", sending.action);
      call.setRequestHeader("Accept", "text/html");
      call.send(new FormData(sending));
    });
  }
  const reading = $("[data-progress]");
  if (reading) {
    const ask = async () => {
      try {
        const answer = await fetch(reading.dataset.progress, { headers: { Accept: "application/json" } });
        if (answer.redirected || !answer.ok) { location.reload(); return; }
        const now = await answer.json();
        if (now.next) { location.replace(now.next); return; }
        $("progress", reading).value = now.share;
        if ($("[data-told]", reading).textContent !== now.told) $("[data-told]", reading).textContent = now.told;
      } catch { /* the next answer counts */ }
      setTimeout(ask, 1000);
    };
    setTimeout(ask, 500);
  }
  // passkeys
  const bytes = s => Uint8Array.from(atob(s.replace(/-/g, "+").replace(/_/g, "/")), c => c.charCodeAt(0));
  const text = b => btoa(String.fromCharCode(...new Uint8Array(b))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const csrf = () => JSON.parse(document.body.getAttribute("hx-headers"));
  const send = (url, body) => fetch(url, { method: "POST", headers: { ...csrf(), "Content-Type": "application/json" }, body });
  const ids = list => (list || []).map(c => ({ ...c, id: bytes(c.id) }));
  const failed = (form, words) => { const p = $("[data-passkey-error]", form); p.textContent = words; p.hidden = false; };
  const confirmFirst = device => location.assign(`/confirm?next=${encodeURIComponent(`${location.pathname}?device=${encodeURIComponent(device)}`)}`);
  const adding = $("[data-passkey-add]");
  if (adding) adding.addEventListener("submit", async e => {
    e.preventDefault();
    try {
      const asked = await send(adding.dataset.options, "");
      if (asked.status === 403) { confirmFirst(adding.name.value); return; }
      const o = await asked.json();
      const made = await navigator.credentials.create({ publicKey: { ...o, challenge: bytes(o.challenge), user: { ...o.user, id: bytes(o.user.id) }, excludeCredentials: ids(o.excludeCredentials) } });
      const r = made.response;
      const answer = await send(`${adding.dataset.answer}?name=${encodeURIComponent(adding.name.value)}`, JSON.stringify({ id: made.id, rawId: text(made.rawId), type: made.type, response: { attestationObject: text(r.attestationObject), clientDataJSON: text(r.clientDataJSON), transports: r.getTransports ? r.getTransports() : [] } }));
      if (answer.status === 204) location.assign(location.pathname); else failed(adding, (await answer.json()).error);
    } catch (error) { failed(adding, `The passkey was not made: ${error.message}`); }
  });
  const confirming = $("[data-passkey-confirm]");
  if (confirming) confirming.addEventListener("submit", async e => {
    e.preventDefault();
    try {
      const o = await (await send(confirming.dataset.options, "")).json();
      const got = await navigator.credentials.get({ publicKey: { ...o, challenge: bytes(o.challenge), allowCredentials: ids(o.allowCredentials) } });
      const r = got.response;
      const answer = await send(confirming.dataset.answer, JSON.stringify({ id: got.id, rawId: text(got.rawId), type: got.type, response: { authenticatorData: text(r.authenticatorData), clientDataJSON: text(r.clientDataJSON), signature: text(r.signature), userHandle: r.userHandle ? text(r.userHandle) : null } }));
      if (answer.status === 204) confirming.submit(); else failed(confirming, (await answer.json()).error);
    } catch (error) { failed(confirming, `The passkey was not used: ${error.message}`); }
  });
})();

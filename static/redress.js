/* What pages do without the server: dialogs, search boxes of forms, picking rows.
   No library, no inline handler; everything hangs on data attributes. */
"use strict";

(function () {
  const body = document.body;

  /* The line of the menu one is on stands in sight, however long the menu is. */
  const here = document.querySelector(".menu li a[aria-current]");
  if (here && here.offsetParent) {
    const menu = here.closest(".menu");
    const below = here.getBoundingClientRect().bottom - menu.getBoundingClientRect().bottom;
    if (below > 0) { menu.scrollTop += below + menu.clientHeight / 4; }
  }

  /* Dialogs: data-opens="id" opens, data-closes closes, a click beside it closes too. */
  document.addEventListener("click", function (event) {
    const opener = event.target.closest("[data-opens]");
    if (opener) {
      const dialog = document.getElementById(opener.dataset.opens);
      if (dialog) {
        dialog.showModal();
        const first = dialog.querySelector("input:not([type=hidden]), select, textarea");
        if (first) { first.focus(); }
      }
      return;
    }
    const closer = event.target.closest("[data-closes]");
    if (closer) { closer.closest("dialog").close(); return; }
    const dismisser = event.target.closest("[data-dismisses]");
    if (dismisser) { dismisser.closest(".message").remove(); }
  });
  document.addEventListener("mousedown", function (event) {
    if (event.target instanceof HTMLDialogElement && event.target.open) {
      const box = event.target.getBoundingClientRect();
      const inside = event.clientX >= box.left && event.clientX <= box.right
        && event.clientY >= box.top && event.clientY <= box.bottom;
      if (!inside) { event.target.close(); }
    }
  });

  /* A dialog whose form was refused opens again by itself. */
  document.querySelectorAll("dialog[data-open]").forEach(function (dialog) { dialog.showModal(); });

  /* data-asks="sentence" on a form or on a button: ask before sending. */
  let agreed = null;
  document.addEventListener("submit", function (event) {
    const form = event.target;
    const button = event.submitter;
    const sentence = (button && button.dataset.asks) || form.dataset.asks;
    if (!sentence || agreed === form) { agreed = null; return; }
    event.preventDefault();
    ask(sentence, function () { agreed = form; form.requestSubmit(button || undefined); });
  });

  function ask(sentence, proceed) {
    const dialog = document.createElement("dialog");
    dialog.className = "dialog dialog-ask";
    const words = document.createElement("p");
    words.textContent = sentence;
    const deeds = document.createElement("div");
    deeds.className = "form-deeds";
    const no = document.createElement("button");
    no.type = "button";
    no.className = "button button-quiet";
    no.textContent = body.dataset.cancel;
    const yes = document.createElement("button");
    yes.type = "button";
    yes.className = "button button-danger";
    yes.textContent = body.dataset.proceed;
    no.addEventListener("click", function () { dialog.close(); });
    yes.addEventListener("click", function () { dialog.close(); proceed(); });
    dialog.addEventListener("close", function () { dialog.remove(); });
    deeds.append(no, yes);
    dialog.append(words, deeds);
    body.append(dialog);
    dialog.showModal();
    no.focus();
  }

  /* A form is sent once: a second click does nothing while the first is on its way. */
  document.addEventListener("submit", function (event) {
    if (event.defaultPrevented || event.target.method !== "post") { return; }
    if (event.target.matches("form.cell-form")) { return; }
    if (event.target.dataset.sent) { event.preventDefault(); return; }
    event.target.dataset.sent = "1";
  });
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-sent]").forEach(function (form) { delete form.dataset.sent; });
  });

  /* The deeds of Flask-Admin's own lists, whose inline handlers may not run. */
  document.addEventListener("click", function (event) {
    const deed = event.target.closest("[data-model-action]");
    if (deed) { event.preventDefault(); window.modelActions.execute(deed.dataset.modelAction); }
  });

  /* Pop-down cards close on Escape and on a click elsewhere. */
  document.addEventListener("click", function (event) {
    document.querySelectorAll("details.dropdown[open], details.visitor[open]").forEach(function (one) {
      if (!one.contains(event.target)) { one.open = false; }
    });
  });
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") { return; }
    document.querySelectorAll("details.dropdown[open], details.visitor[open]").forEach(function (one) {
      one.open = false;
      one.querySelector("summary").focus();
    });
  });

  /* Empty fields of a filter form stay out of the address. */
  document.querySelectorAll("form[method=get]").forEach(function (form) {
    form.addEventListener("formdata", function (event) {
      Array.from(event.formData.entries()).forEach(function (pair) {
        if (pair[1] === "") { event.formData.delete(pair[0]); }
      });
    });
  });

  /* Picking rows for a deed on many; the boxes and the buttons belong to the form by its id. */
  document.querySelectorAll("form.batch").forEach(function (form) {
    const bar = document.querySelector("[data-batch-bar]");
    const all = document.querySelector("[data-picks-all]");
    function boxes() {
      return Array.from(form.elements).filter(function (one) { return one.name === "rowid"; });
    }
    function count() {
      const picked = boxes().filter(function (box) { return box.checked; }).length;
      bar.hidden = picked === 0;
      bar.querySelector("[data-picked]").textContent = picked;
      all.checked = picked === boxes().length;
      all.indeterminate = picked > 0 && picked < boxes().length;
    }
    all.addEventListener("change", function () {
      boxes().forEach(function (box) { box.checked = all.checked; });
      count();
    });
    document.addEventListener("change", function (event) {
      if (event.target.name === "rowid") { count(); }
    });
    count();
  });

  /* A cell of a list is saved in its place: its row is fetched anew, or the reason stands below. */
  document.addEventListener("toggle", function (event) {
    const cell = event.target;
    if (!cell.matches("details.cell") || !cell.open) { return; }
    const first = cell.querySelector("input:not([type=hidden]), select, textarea");
    if (first) { first.focus(); }
  }, true);
  document.addEventListener("keydown", function (event) {
    const cell = event.key === "Escape" && event.target.closest("details.cell[open]");
    if (cell) { cell.open = false; cell.querySelector("summary").focus(); }
  });
  document.addEventListener("submit", function (event) {
    const form = event.target;
    if (!form.matches("form.cell-form") || event.defaultPrevented) { return; }
    event.preventDefault();
    if (form.dataset.sent) { return; }
    form.dataset.sent = "1";
    const typed = new URLSearchParams(new FormData(form));
    fetch(form.action, { method: "POST", body: typed, headers: { Accept: "application/json" } })
      .then(function (answer) {
        if (answer.ok) { return freshRow(form.closest("tr")); }
        if (answer.status !== 409) { throw new Error(answer.status); }
        return answer.json().then(function (said) { refuse(form, said); });
      })
      .catch(function () { HTMLFormElement.prototype.submit.call(form); });
  });

  function refuse(form, said) {
    delete form.dataset.sent;
    form.querySelector("[data-seen]").value = said.seen;
    const reason = form.querySelector("[data-refusal]");
    reason.textContent = said.refused;
    reason.hidden = false;
  }

  function freshRow(row) {
    return fetch(window.location.href, { headers: { Accept: "text/html" } })
      .then(function (answer) { return answer.text(); })
      .then(function (text) {
        const page = new DOMParser().parseFromString(text, "text/html");
        const found = page.querySelector('tr[data-row-key="' + row.dataset.rowKey + '"]');
        if (!found) { window.location.reload(); return; }
        const fresh = document.importNode(found, true);
        row.replaceWith(fresh);
        fresh.querySelectorAll("input[data-lookup]").forEach(searchBox);
      });
  }

  /* Search boxes of forms: finds come from data-lookup while somebody types. */
  function searchBox(input) {
    const box = input.closest(".lookup");
    const id = box.querySelector("input[data-lookup-id]");
    const finds = box.querySelector(".lookup-finds");
    let waiting = 0;
    let asked = 0;
    let marked = -1;
    finds.id = input.id + "-finds";
    input.setAttribute("aria-controls", finds.id);

    function hide() {
      finds.hidden = true;
      marked = -1;
      input.setAttribute("aria-expanded", "false");
      input.removeAttribute("aria-activedescendant");
    }
    function mark(next) {
      const lines = finds.querySelectorAll("[role=option]");
      if (!lines.length) { return; }
      marked = (next + lines.length) % lines.length;
      lines.forEach(function (line, i) { line.setAttribute("aria-selected", String(i === marked)); });
      lines[marked].scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", lines[marked].id);
    }
    function take(line) {
      id.value = line.dataset.id;
      input.value = line.textContent;
      hide();
      input.dispatchEvent(new Event("change", { bubbles: true }));
    }
    function show(rows) {
      finds.replaceChildren();
      rows.forEach(function (row, i) {
        const line = document.createElement("li");
        line.id = finds.id + "-" + i;
        line.setAttribute("role", "option");
        line.dataset.id = row[0];
        line.textContent = row[1];
        line.addEventListener("mousedown", function (event) { event.preventDefault(); take(line); });
        finds.append(line);
      });
      if (!rows.length) {
        const none = document.createElement("li");
        none.className = "lookup-none";
        none.textContent = body.dataset.nothing;
        finds.append(none);
      }
      finds.hidden = false;
      input.setAttribute("aria-expanded", "true");
      marked = -1;
    }
    function look() {
      const turn = ++asked;
      const address = input.dataset.lookup;
      const asks = address.includes("?") ? "&query=" : "?q=";
      const url = address + asks + encodeURIComponent(input.value.trim());
      fetch(url, { headers: { Accept: "application/json" } })
        .then(function (answer) { return answer.ok ? answer.json() : []; })
        .then(function (rows) { if (turn === asked && document.activeElement === input) { show(rows); } })
        .catch(hide);
    }
    input.addEventListener("input", function () {
      id.value = "";
      window.clearTimeout(waiting);
      waiting = window.setTimeout(look, 150);
    });
    input.addEventListener("focus", function () { if (!id.value) { look(); } });
    input.addEventListener("blur", hide);
    input.addEventListener("keydown", function (event) {
      if (event.key === "ArrowDown") { event.preventDefault(); if (finds.hidden) { look(); } else { mark(marked + 1); } }
      if (event.key === "ArrowUp") { event.preventDefault(); mark(marked - 1); }
      if (event.key === "Escape") { hide(); }
      if (event.key === "Enter" && !finds.hidden && marked >= 0) {
        event.preventDefault();
        take(finds.querySelectorAll("[role=option]")[marked]);
      }
    });
  }
  document.querySelectorAll("input[data-lookup]").forEach(searchBox);

  /* Narrowing a long page: data-narrows="selector" hides what does not have the words. */
  document.querySelectorAll("input[data-narrows]").forEach(function (input) {
    const lines = Array.from(document.querySelectorAll(input.dataset.narrows));
    const sections = Array.from(document.querySelectorAll("[data-narrowed-section]"));
    input.addEventListener("input", function () {
      const words = input.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
      lines.forEach(function (line) {
        const text = line.textContent.toLowerCase();
        line.hidden = !words.every(function (word) { return text.includes(word); });
      });
      sections.forEach(function (section) {
        section.hidden = !section.querySelector(input.dataset.narrows + ":not([hidden])");
      });
    });
  });

  /* Tables of inputs: data-adds-row copies the last row, emptied, with the next number. */
  document.querySelectorAll("[data-adds-row]").forEach(function (button) {
    button.addEventListener("click", function () {
      const rows = button.closest("[data-rows]").querySelectorAll("[data-row]");
      const copy = rows[rows.length - 1].cloneNode(true);
      copy.querySelectorAll("[name]").forEach(function (one) {
        one.name = one.name.replace(/-(\d+)-([a-z_]+)$/, function (_all, number, part) {
          return "-" + (Number(number) + 1) + "-" + part;
        });
        if (one.type === "checkbox") { one.checked = false; } else { one.value = ""; }
      });
      button.before(copy);
      copy.querySelector("select, input, textarea").focus();
    });
  });

  /* A row of a condition offers the values of the field that is chosen in it. */
  document.addEventListener("change", function (event) {
    const asked = event.target.closest("[data-asks-value]");
    if (asked) {
      const value = asked.closest("[data-row]").querySelector("input");
      if (asked.value) { value.setAttribute("list", "values-" + asked.value); } else { value.removeAttribute("list"); }
    }
    const unit = event.target.closest("[data-unit]");
    if (unit) {
      const at = unit.parentElement.querySelector("input[type=time]");
      at.hidden = unit.value !== "clock_time";
      if (at.hidden) { at.value = ""; }
    }
  });

  /* A form that says how many of its inputs differ from how they came. */
  document.querySelectorAll("form[data-counts-changes]").forEach(function (form) {
    const none = form.querySelector("[data-changes-none]");
    const some = form.querySelector("[data-changes-some]");
    function differs(one) {
      if (one.tagName === "SELECT") {
        const came = Array.from(one.options).find(function (o) { return o.defaultSelected; }) || one.options[0];
        return one.value !== came.value;
      }
      return one.value !== one.defaultValue;
    }
    form.addEventListener("input", function () {
      const changed = new Set();
      form.querySelectorAll("tr input, tr select").forEach(function (one) {
        if (differs(one)) { changed.add(one.closest("tr")); }
        one.closest("tr").classList.toggle("number-typed", changed.has(one.closest("tr")));
      });
      none.hidden = changed.size > 0;
      some.hidden = changed.size === 0;
      form.querySelector("[data-changes-count]").textContent = changed.size;
    });
  });

  /* A page that waits for the worker looks again after so many seconds. */
  document.querySelectorAll("[data-refreshes]").forEach(function (one) {
    window.setTimeout(function () { window.location.reload(); }, 1000 * Number(one.dataset.refreshes));
  });

  /* A link to a form that is folded away unfolds it; so does an address that names one. */
  function unfold(target) {
    for (let one = target; one; one = one.parentElement) {
      if (one instanceof HTMLDetailsElement) { one.open = true; }
    }
  }
  document.querySelectorAll("a[data-unfolds]").forEach(function (link) {
    link.addEventListener("click", function () {
      const target = document.getElementById(link.hash.slice(1));
      unfold(target);
      const first = target.querySelector("select, textarea, input:not([type=hidden])");
      if (first) { window.setTimeout(function () { first.focus({ preventScroll: true }); }, 0); }
    });
  });

  /* Photos: say what was chosen, and leave out what is too large before it is sent. */
  document.querySelectorAll("[data-papers]").forEach(function (box) {
    const inputs = Array.from(box.querySelectorAll("input[type=file]"));
    const said = box.querySelector("[data-chosen]");
    const limit = Number(box.dataset.limit) * 1024 * 1024;
    const large = new Map();
    box.classList.add("is-told");
    inputs.forEach(function (input) {
      input.addEventListener("change", function () {
        const small = new DataTransfer();
        const left = [];
        Array.from(input.files).forEach(function (file) {
          if (file.size > limit) { left.push(file.name); } else { small.items.add(file); }
        });
        if (left.length) { input.files = small.files; }
        large.set(input, left);
        const names = inputs.flatMap(function (one) {
          return Array.from(one.files, function (file) { return file.name; });
        });
        said.textContent = names.join(", ");
        Array.from(large.values()).flat().forEach(function (name) {
          const line = document.createElement("b");
          line.textContent = name + " " + box.dataset.tooLarge;
          said.append(line);
        });
      });
    });
  });
}());

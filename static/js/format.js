/* Numbers and times in words: the same rules as apps/dashboard/formatting.py and moments.py. */
import { language, word } from "./words.js";

const NO_BREAK = "\u00a0";
const glue = (text) => text.replaceAll(" ", NO_BREAK);

/** Three significant digits, fewer where the rest are zeros after the point. */
export function digits(value) {
  const size = Math.abs(value);
  if (size >= 99.95) {
    return value.toFixed(0);
  }
  let places = size >= 9.995 ? 1 : 2;
  if (size > 0 && size < 0.1) {
    places = 3;
  }
  const text = value.toFixed(places);
  return Number.isInteger(value) ? text.replace(/\.?0+$/, "") : text;
}

/** A stretch of time in its two largest units. */
export function span(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  const values = {
    days: Math.floor(whole / 86400),
    hours: Math.floor((whole % 86400) / 3600),
    minutes: Math.floor((whole % 3600) / 60),
    seconds: whole % 60,
  };
  let key = "seconds";
  if (values.days) {
    key = values.hours && values.days < 14 ? "days_hours" : "days";
  } else if (values.hours) {
    key = values.minutes ? "hours_minutes" : "hours";
  } else if (values.minutes) {
    key = values.seconds ? "minutes_seconds" : "minutes";
  }
  return glue(word(key, values));
}

/** A measured time in milliseconds. */
export function duration(milliseconds) {
  if (milliseconds < 999.5) {
    const places = milliseconds === 0 || milliseconds >= 9.95 ? 0 : milliseconds >= 0.995 ? 1 : 2;
    const number = milliseconds.toFixed(places);
    return glue(word("milliseconds", { number }));
  }
  const seconds = milliseconds / 1000;
  return seconds < 59.95 ? glue(word("seconds_measured", { number: digits(seconds) })) : span(seconds);
}

/** US dollars, as apps/core/money.py writes them: small amounts keep three significant digits. */
export function dollars(amount) {
  const size = Math.abs(amount);
  let number = "0";
  if (size >= 10_000) {
    number = Math.round(amount).toLocaleString("en");
  } else if (size >= 0.995) {
    number = amount.toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
  } else if (size > 0) {
    const places = Math.min(8, 2 - Math.floor(Math.log10(size)));
    const [whole, rest = ""] = amount.toFixed(places).replace(/0+$/, "").split(".");
    number = `${whole}.${rest.padEnd(2, "0")}`;
  }
  return glue(word("dollars", { number }));
}

/** Whether a unit is too long to stand beside every value: then it is said once, over them. */
export function isSaidOnce(unit) {
  return Boolean(unit) && unit.length > 3;
}

/** A value with its unit; milliseconds grow into seconds by themselves, and "usd" is money. */
export function withUnit(value, unit) {
  if (value === null || value === undefined || !Number.isFinite(value)) {
    return "–";
  }
  if (unit === "ms") {
    return duration(value);
  }
  if (unit === "usd") {
    return dollars(value);
  }
  const text = Math.abs(value) < 1000 ? digits(value) : Math.round(value).toLocaleString(language);
  return unit ? text + NO_BREAK + unit : text;
}

/** How long ago `moment` (milliseconds) was, or in how long it will be. */
export function relative(moment, now = Date.now()) {
  const seconds = (now - moment) / 1000;
  const size = Math.abs(seconds);
  if (size < 1) {
    return word("just_now");
  }
  const words = span(size < 60 ? size : Math.floor(size / 60) * 60);
  return word(seconds > 0 ? "ago" : "in", { span: words });
}

const formats = {
  long: { dateStyle: "medium", timeStyle: "long", hourCycle: "h23" },
  short: { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  clock: { hour: "2-digit", minute: "2-digit", hourCycle: "h23" },
  seconds: { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
  day: { month: "short", day: "numeric" },
};
const formatters = {};

/** `moment` (milliseconds) in the viewer's zone and the page's language. Styles: long, short, clock, seconds, day. */
export function absolute(moment, style = "long") {
  formatters[style] ??= new Intl.DateTimeFormat(language === "en" ? "en-GB" : language, formats[style]);
  return formatters[style].format(moment);
}

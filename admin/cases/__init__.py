"""Pages of cases: the list, one case and its deeds, the jury, the phone, callbacks."""

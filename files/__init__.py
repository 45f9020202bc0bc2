"""Tables in and tables out; knows files and nothing of cases."""

"""An invented Skoda dealer: its people and some forty cases in every state, to try Redress on."""
